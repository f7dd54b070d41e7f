# The static site every five minutes, where no systemd does it (its timer is
# iptrk-pages.timer). A run that is still at work makes the next one end.
*/5 * * * * root [ -d /run/systemd/system ] || [ ! -x /usr/bin/iptrk ] || nice iptrk pages 2>&1 | logger -t iptrk-pages
