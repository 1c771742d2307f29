# Baton's own queue manager, so that it is tested as the others are; sourced by scripts/broker.
program=baton-qmgr

configure() { :; }

launch() {
  local bin=${BATON_BIN:-$root/build/release/bin}
  [ -x "$bin/baton-qmgr" ] || { echo "broker: there is no $bin/baton-qmgr: scripts/test builds it" >&2; return 1; }
  BFG_DATA=$home/data setsid "$bin/baton-qmgr" QM1 -p "$port" </dev/null >"$home/log/output" 2>&1 &
  echo $! >"$home/broker.pid"
}

answers() {
  listens "$port"
}
