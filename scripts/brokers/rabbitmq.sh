# RabbitMQ of Debian; sourced by scripts/broker.
program=beam
setup=rabbitmq
user=guest password=guest

# BATON_RABBITMQ_WITH: the name of one that was started before. Both are then nodes of one cluster, with the same cookie, and
# known by the same name server, which is that of the first; so the first is stopped last.
with=${BATON_RABBITMQ_WITH:-}
first=$root/build/brokers/rabbitmq/${with:-$name}

configure() {
  mkdir -p "$home/etc"
  local cluster=''
  if [ -n "$with" ]; then
    cp -f "$first/.erlang.cookie" "$home/.erlang.cookie"
    cluster="cluster_formation.peer_discovery_backend = classic_config
cluster_formation.classic_config.nodes.1 = baton-$with@localhost
cluster_formation.classic_config.nodes.2 = baton-$name@localhost"
  fi
  # A hung client is noticed after 4 to 6 times the heartbeat, and only this setting makes that short.
  cat >"$home/etc/rabbitmq.conf" <<TXT
listeners.tcp.1 = 127.0.0.1:$port
management.tcp.ip = 127.0.0.1
management.tcp.port = $management_port
heartbeat = 1
$cluster
${BATON_RABBITMQ_CONF:-}
TXT
  echo '[rabbitmq_amqp1_0, rabbitmq_management].' >"$home/etc/enabled_plugins"
}

# The name server of Erlang nodes: one of its own, because one that is found running belongs to somebody else. It outlives a
# node that was killed: others of a cluster may be known by it.
launch() {
  local epmd_port
  if [ -n "$with" ] || running epmd epmd >/dev/null; then
    epmd_port=$(cat "$first/epmd.port")
  else
    epmd_port=$third_port
    setsid epmd -port "$epmd_port" -address 127.0.0.1 </dev/null >"$home/log/epmd.log" 2>&1 &
    echo $! >"$home/epmd.pid"
    echo "$epmd_port" >"$home/epmd.port"
  fi
  # RUNNING_UNDER_SYSTEMD: the start script becomes the broker, so that the pid is the broker's.
  env -i PATH="$PATH" LANG=C.UTF-8 HOME="$home" RUNNING_UNDER_SYSTEMD=1 ERL_EPMD_PORT="$epmd_port" \
    RABBITMQ_CONF_ENV_FILE=/dev/null RABBITMQ_NODENAME="baton-$name@localhost" RABBITMQ_DIST_PORT="$fourth_port" \
    RABBITMQ_MNESIA_BASE="$home/data" RABBITMQ_LOG_BASE="$home/log" RABBITMQ_CONFIG_FILE="$home/etc/rabbitmq.conf" \
    RABBITMQ_ADVANCED_CONFIG_FILE="$home/etc/none.config" RABBITMQ_ENABLED_PLUGINS_FILE="$home/etc/enabled_plugins" \
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="+sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}" \
    setsid /usr/lib/rabbitmq/bin/rabbitmq-server </dev/null >"$home/log/output" 2>&1 &
  echo $! >"$home/broker.pid"
}

answers() {
  curl -sf --noproxy '*' -m 2 -u guest:guest "http://127.0.0.1:$management_port/api/health/checks/port-listener/$port" >/dev/null 2>&1
}

stop_helpers() {
  end epmd epmd
}
