# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A program on a terminal of its own, by tmux, to be sourced by tests; files are
# in $work.
. tests/vm/wait.sh

export LC_ALL=C.UTF-8 TERM=xterm-256color
terminals=0
# shellcheck disable=SC2154 # the caller's
socket=$work/tmux0
tmux_() {
	tmux -f /dev/null -S "$socket" "$@"
}

# started WIDTH HEIGHT COMMAND...
started() {
	tmux_ kill-server 2>/dev/null
	# A server that ends must not be met by the next one's client.
	socket=$work/tmux$((++terminals))
	rm -f "$work/after" "$work/status"
	program="${*:3}"
	tmux_ new-session -d -x "$1" -y "$2" bash --norc --noprofile
	tmux_ send-keys "PS1='ready> '; stty -a >$work/before; $program; echo status \$? >$work/status; stty -a >$work/after" Enter
}
program_pid() {
	pgrep -f "^$program"
}
press() {
	tmux_ send-keys "$@"
}
# click COLUMN ROW, from 1.
click() {
	press -l "$(printf '\e[<0;%d;%dM\e[<0;%d;%dm' "$1" "$2" "$1" "$2")"
}
has_size() {
	[[ $(stty -F "$(tmux_ display-message -p '#{pane_tty}')" size) == "$1" ]]
}
# resize WIDTH HEIGHT: returns when the terminal has it, which tmux puts off when
# there was another one just before.
resize() {
	tmux_ resize-window -x "$1" -y "$2"
	within 10 has_size "$2 $1"
}
screen() {
	tmux_ capture-pane -p
}
has() {
	screen | grep -qE -- "$1"
}
# shows REGEX: within ten seconds.
shows() {
	within 10 has "$1" || { screen; return 1; }
}
# Ends within ten seconds, and leaves the terminal as it was.
sane() {
	within 10 test -s "$work/after" || { echo 'it did not end'; screen; return 1; }
	diff "$work/before" "$work/after"
}
is_gone() {
	! kill -0 "$1" 2>/dev/null
}
# gone PID: within five seconds.
gone() {
	[[ $1 ]] && within 5 is_gone "$1"
}
