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

# What commands that write configuration are told of the list of queue managers $urls. qmgr_options PREFIX: a line for each
# word. With `kind` they are brokers of that kind, with the management that is in `management`, and a user; `queue_type` is RabbitMQ's.
kind='' management='' queue_type=''
qmgr_options() {
  printf '%s\n' "-$1Urls" "$urls"
  [ -z "$kind" ] || printf '%s\n' "-$1Type" "$kind" "-$1ManagementUrl" "$management" "-$1AuthenticationCredentialsFile" "$work/credentials.xml"
  [ -z "$queue_type" ] || [ "$1" = connectionQMgr ] || printf '%s\n' "-$1QueueType" "$queue_type"
}

# Coordination is on the same list, and a service of its own takes publications from all of it. set_up HOST
set_up() {
  set_up_coordination "$1"
  set_up_commands "$1"
}
set_up_coordination() {
  local -a words
  mapfile -t words < <(qmgr_options coordinationQMgr)
  [ -f "$work/$1/mqft/config/AMQ/coordination.properties" ] ||
    on "$1" fteSetupCoordination -coordinationQMgr AMQ "${words[@]}" -default
}
set_up_commands() {
  local -a words
  mapfile -t words < <(qmgr_options connectionQMgr)
  [ -f "$work/$1/mqft/config/AMQ/command.properties" ] || on "$1" fteSetupCommands -connectionQMgr AMQ "${words[@]}"
}

# make_agent HOST AGENT URLS [OPTION...]
make_agent() {
  local host=$1 agent=$2
  local -a words
  mapfile -t words < <(urls=$3 qmgr_options agentQMgr)
  shift 3
  [ -f "$work/$host/mqft/config/AMQ/agents/$agent/agent.properties" ] ||
    on "$host" fteCreateAgent -agentName "$agent" -agentQMgr AMQ "${words[@]}" "$@"
}

# A broker that is not Baton's is one of scripts/broker, with a name of this topology and this folder. broker_name MEMBER
broker_name() {
  echo "$topology-$(cksum <<<"$work" | cut -d' ' -f1)-$1"
}

# start_broker MEMBER AMQP_PORT MANAGEMENT_PORT [VARIABLE=VALUE...]: one that runs already is left alone; the variables are
# for scripts/broker. Adds it to $urls and $management, and says its user to agents and commands.
start_broker() {
  local member=$1 port=$2 http=$3 name
  name=$(broker_name "$1")
  shift 3
  urls=${urls:+$urls,}amqp://127.0.0.1:$port management=${management:+$management,}http://127.0.0.1:$http
  [ "$action" = start ] || return 0
  if ! "$root/scripts/broker" "$kind" status "$name" >/dev/null 2>&1; then
    printf '%s: %s scripts/broker %s start %s %s %s\n' "$member" "$*" "$kind" "$name" "$port" "$http"
    env "$@" "$root/scripts/broker" "$kind" start "$name" "$port" "$http" >/dev/null 2>"$work/$member.errors" ||
      { cat "$work/$member.errors" >&2; exit 1; }
  fi
  [ -f "$work/credentials.xml" ] || write_credentials "$name"
}

# write_credentials NAME: of that broker; fits any queue manager of this topology.
write_credentials() {
  local user password
  eval "$("$root/scripts/broker" "$kind" status "$1" | grep -E '^(user|password)=')"
  (umask 077 && printf '%s\n' '<tns:mqmftCredentials xmlns:tns="http://wmqfte.ibm.com/MQMFTCredentials">' \
    "<tns:qmgr name=\"AMQ\" mqUserId=\"$user\" mqPassword=\"$password\"/>" '</tns:mqmftCredentials>' >"$work/credentials.xml")
}

# stop_brokers MEMBER...
stop_brokers() {
  local member
  for member in "$@"; do "$root/scripts/broker" "$kind" stop "$(broker_name "$member")"; done
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

# On a list of brokers that are one: coordination, SRC with an instance on each of two hosts, DST on the first.
make_agents() {
  step "Coordination"
  set_up host1
  set_up host2
  quiet_on host1 fteListAgents >/dev/null 2>&1 || on host1 fteStartCoordination
  step "The instances of SRC, and DST"
  make_agent host1 SRC "$urls" -x -instanceName host1
  make_agent host2 SRC "$urls" -x -instanceName host2
  make_agent host1 DST "$urls"
}

# Those, and a transfer.
start_agents() {
  for host in host1 host2; do add_lines "$host" SRC agentQMgrRetryInterval=5; done
  add_lines host1 DST agentQMgrRetryInterval=5
  start_agent host1 SRC
  start_agent host2 SRC
  start_agent host1 DST
  step "A transfer"
  try_transfer host1 SRC DST
}
