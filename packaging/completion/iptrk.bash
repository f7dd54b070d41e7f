# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Completion for bash. The command itself says what there is, so this can't
# become outdated.

_iptrk() {
	local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
	local word words=() help
	COMPREPLY=()
	# Where a value is a file, readline's own completion is better.
	case $previous in
	-c | --config | --replay | --output | --ledger | --templates | --page-templates | --rrd-directory | --address-rrd)
		compopt -o default
		return
		;;
	esac
	# The subcommands so far.
	for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
		[[ $word == [a-z]* ]] || continue
		help=$(command iptrk "${words[@]}" --help 2>/dev/null)
		! grep -qE "^  $word( |\$)" <<<"$help" || words+=("$word")
	done
	help=$(command iptrk "${words[@]}" --help 2>/dev/null)
	if [[ $current == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(grep -oE -- '--[a-z-]+' <<<"$help" | sort -u)" -- "$current")
	else
		mapfile -t COMPREPLY < <(compgen -W "$(sed -n '/^Subcommands:/I,$s/^  \([a-z]*\) .*/\1/p' <<<"$help")" -- "$current")
		((${#COMPREPLY[@]})) || compopt -o default
	fi
}
complete -F _iptrk iptrk
