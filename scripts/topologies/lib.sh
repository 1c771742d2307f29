# What the scripts of this folder share. Sourced with the arguments of the script; it sets `work` and `action`.
# Each host of a topology has a data folder of its own under $work, so that all of it fits on one machine: `on HOST COMMAND`
# runs a command as on that host.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
. "$root/scripts/lib.sh"
topology=$(basename "$0")
action=${1:-}
work=${2:-${BFG_DATA:-$HOME/.baton}/topologies/$topology}

usage() {
  sed -n '2,/^$/s/^# \{0,1\}//p' "$0" >&2
  exit 1
}
case $action in start | stop | status) ;; *) usage ;; esac

if [ -n "${BATON_BIN:-}" ]; then
  bin=$BATON_BIN
else
  bin=$root/build/release/bin
  [ "$action" != start ] || build release fte command_links baton-agent baton-controller baton-qmgr baton-coordination
fi
export PATH="$bin:$PATH"

step() { printf '\n== %s\n' "$*"; }
# Shows a command as a person would type it on that host, and runs it there.
on() {
  local host=$1
  shift
  printf '[%s] $ %s\n' "$host" "$*"
  BFG_DATA=$work/$host "$@"
}
quiet_on() {
  local host=$1
  shift
  BFG_DATA=$work/$host "$@"
}

# free_ports COUNT
free_ports() {
  python3 -c 'import socket, sys
held = [socket.create_server(("127.0.0.1", 0)) for _ in range(int(sys.argv[1]))]
print(*(s.getsockname()[1] for s in held))' "$1"
}

# The ports of the queue managers stay what they were at the first start. ports_of NAME...: sets port_NAME.
ports_of() {
  mkdir -p "$work"
  if [ ! -f "$work/ports" ]; then
    local free name
    read -r -a free <<<"$(free_ports $#)"
    for name in "$@"; do
      echo "port_$name=${free[0]}"
      free=("${free[@]:1}")
    done >"$work/ports"
  fi
  . "$work/ports"
}

# start_qmgr HOST NAME PORT [LINE OF qmgr.properties]
start_qmgr() {
  local folder=$work/$1/qmgrs/$2
  mkdir -p "$folder"
  [ -z "${4:-}" ] || printf '%s\n' "$4" >"$folder/qmgr.properties"
  quiet_on "$1" fteShowQMgrDetails "$2" >/dev/null 2>&1 || on "$1" fteStartQMgr "$2" -p "$3"
}

# Coordination is on AMQ1 and AMQ2, and a service of its own takes publications from both. set_up HOST
set_up() {
  [ ! -f "$work/$1/mqft/config/AMQ/coordination.properties" ] || return 0
  on "$1" fteSetupCoordination -coordinationQMgr AMQ -coordinationQMgrUrls "$urls" -default
  on "$1" fteSetupCommands -connectionQMgr AMQ -connectionQMgrUrls "$urls"
}

# make_agent HOST AGENT URLS [OPTION...]
make_agent() {
  local host=$1 agent=$2 list=$3
  shift 3
  [ -f "$work/$host/mqft/config/AMQ/agents/$agent/agent.properties" ] ||
    on "$host" fteCreateAgent -agentName "$agent" -agentQMgr AMQ -agentQMgrUrls "$list" "$@"
}

# add_lines HOST AGENT LINE...: to agent.properties, once each
add_lines() {
  local file=$work/$1/mqft/config/AMQ/agents/$2/agent.properties line
  shift 2
  for line in "$@"; do grep -qxF "$line" "$file" || printf '%s\n' "$line" >>"$file"; done
}

# running PID: it is a program of Baton. Pids are used again, and a dead process has no command line.
running() { [ -n "$1" ] && grep -qs baton- "/proc/$1/cmdline"; }

# start_agent HOST AGENT
start_agent() {
  local pid
  pid=$(cut -d' ' -f1 "$work/$1/mqft/logs/AMQ/agents/$2/controller.pid" 2>/dev/null || true)
  ! running "$pid" || return 0
  on "$1" fteStartAgent "$2"
}

# A file goes from one agent to another, and is compared. try_transfer HOST FROM TO
try_transfer() {
  local source=$work/files/from-$2 arrived=$work/files/at-$3
  mkdir -p "$work/files"
  date +%s%N >"$source"
  on "$1" fteCreateTransfer -sa "$2" -da "$3" -w -de overwrite -df "$arrived" "$source"
  cmp "$source" "$arrived"
}

# Everything of this topology that runs, by the pid files of its hosts: controllers, then agents, services, queue managers.
stop_all() {
  local file pid
  for file in "$work"/*/mqft/logs/*/agents/*/controller.pid "$work"/*/mqft/logs/*/agents/*/agent.pid \
    "$work"/*/mqft/coordination/*/coordination.pid "$work"/*/qmgrs/*/qmgr.pid; do
    [ -f "$file" ] || continue
    pid=$(cut -d' ' -f1 "$file")
    running "$pid" && kill -TERM "$pid" 2>/dev/null || continue
    for ((i = 0; i < 150; i++)); do
      running "$pid" || break
      sleep 0.1
    done
  done
  echo "$topology has stopped; its files are in $work"
}
