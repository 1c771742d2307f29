# Apache ActiveMQ Artemis from Maven Central; sourced by scripts/broker.
program=$home/instance
setup=artemis
user=admin password=admin

# Everything that Artemis generates stays as it is, what tests need is changed afterwards: one acceptor with a short idle
# timeout, messages of Baton's sizes in memory and not in files, no pauses for a disk that is nearly full.
configure() {
  from_maven org.apache.activemq:apache-artemis:2.44.0:zip
  "$unpacked/apache-artemis-2.44.0/bin/artemis" create --force --silent --name baton --user "$user" --password "$password" \
    --require-login --host 127.0.0.1 --http-host 127.0.0.1 --http-port "$management_port" --default-port "$port" \
    --no-amqp-acceptor --no-hornetq-acceptor --no-mqtt-acceptor --no-stomp-acceptor --nio --no-autotune \
    --java-memory 512M "$home/instance" >"$home/log/output" 2>&1 || { tail -20 "$home/log/output" >&2; return 1; }
  sed -i -e 's#protocols=CORE,AMQP,STOMP,HORNETQ,MQTT,OPENWIRE#protocols=CORE,AMQP;amqpIdleTimeout=5000#' \
    -e 's#amqpMinLargeMessageSize=102400#amqpMinLargeMessageSize=1048576#' \
    -e "s#<max-disk-usage>[0-9]*</max-disk-usage>#<max-disk-usage>${BATON_ARTEMIS_DISK_PERCENT:-100}</max-disk-usage>#" "$home/instance/etc/broker.xml"
  sed -i 's/-Xms512M/-Xms64M/' "$home/instance/etc/artemis.profile"
}

# `artemis run` becomes the broker, so that the pid is the broker's.
launch() {
  setsid "$home/instance/bin/artemis" run </dev/null >"$home/log/output" 2>&1 &
  echo $! >"$home/broker.pid"
}

# The management comes after the AMQP port.
answers() {
  listens "$port" && curl -sf --noproxy '*' -m 2 -o /dev/null -u "$user:$password" -H "Origin: http://127.0.0.1" \
    "http://127.0.0.1:$management_port/console/jolokia/version" 2>/dev/null
}
