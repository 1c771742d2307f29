# Apache ActiveMQ Artemis from Maven Central; sourced by scripts/broker.
program=$home/instance
setup=artemis
user=admin password=admin

# What makes it one of two (see scripts/broker): BATON_ARTEMIS_AS is live or backup, of a pair with one store in BATON_ARTEMIS_DATA,
# or replicating-live or replicating-backup, which have a store each, or network, where messages
# go from one to the other (but for BATON_ARTEMIS_ADDRESSES, as `address` of a cluster-connection has them); BATON_ARTEMIS_WITH is the AMQP port of the other.
as=${BATON_ARTEMIS_AS:-}
pair_options() {
  [ -n "$as" ] || return 0
  local word
  for word in --clustered --cluster-user pair --cluster-password pair --static-cluster "tcp://127.0.0.1:$BATON_ARTEMIS_WITH"; do echo "$word"; done
  case $as in
    live | backup) printf '%s\n' --shared-store --failover-on-shutdown --data "$BATON_ARTEMIS_DATA" ;;
    replicating-*) printf '%s\n' --replicated --failover-on-shutdown ;;
    network) printf '%s\n' --message-load-balancing ON_DEMAND ;;
    *) echo "broker: BATON_ARTEMIS_AS=$as is not known" >&2; exit 1 ;;
  esac
  case $as in *backup) echo --backup ;; esac
}

# Everything that Artemis generates stays as it is, what tests need is changed afterwards: one acceptor with a short idle
# timeout, messages of Baton's sizes in memory and not in files, no pauses for a disk that is nearly full.
configure() {
  local -a pair
  mapfile -t pair < <(pair_options)
  from_maven org.apache.activemq:apache-artemis:2.44.0:zip
  "$unpacked/apache-artemis-2.44.0/bin/artemis" create --force --silent --name baton --user "$user" --password "$password" \
    --require-login --host 127.0.0.1 --http-host 127.0.0.1 --http-port "$management_port" --default-port "$port" \
    --no-amqp-acceptor --no-hornetq-acceptor --no-mqtt-acceptor --no-stomp-acceptor --nio --no-autotune \
    --java-memory 512M "${pair[@]}" "$home/instance" >"$home/log/output" 2>&1 || { tail -20 "$home/log/output" >&2; return 1; }
  sed -i -e 's#protocols=CORE,AMQP,STOMP,HORNETQ,MQTT,OPENWIRE#protocols=CORE,AMQP;amqpIdleTimeout=5000#' \
    -e 's#amqpMinLargeMessageSize=102400#amqpMinLargeMessageSize=1048576#' \
    -e "s#<max-disk-usage>[0-9]*</max-disk-usage>#<max-disk-usage>${BATON_ARTEMIS_DISK_PERCENT:-100}</max-disk-usage>#" "$home/instance/etc/broker.xml"
  # With TLS the same once more.
  [ -z "$tls_port" ] || sed -i -e '/<acceptor name="artemis">/{p;s#name="artemis"#name="tls"#' -e "s#:$port?#:$tls_port?#" \
    -e "s#</acceptor>#;sslEnabled=true;keyStoreType=PKCS12;keyStorePath=$tls_store;keyStorePassword=$tls_password&#}" "$home/instance/etc/broker.xml"
  # One that returns asks first whether its backup serves: otherwise both do, with different content.
  [ "$as" != replicating-live ] ||
    sed -i 's#<primary>#&<check-for-active-server>true</check-for-active-server>#' "$home/instance/etc/broker.xml"
  # Messages go to where their reader is, at once. Not those of the lock and of an agent's state: each broker has its own.
  [ "$as" != network ] || sed -i \
    -e "s#<connector-ref>artemis</connector-ref>#<address>${BATON_ARTEMIS_ADDRESSES-!SYSTEM.FTE.HA,!SYSTEM.FTE.STATE}</address>&#" \
    -e '0,/<address-setting match="\#">/s##&<redistribution-delay>0</redistribution-delay>#' "$home/instance/etc/broker.xml"
  sed -i 's/-Xms512M/-Xms64M/' "$home/instance/etc/artemis.profile"
}

# `artemis run` becomes the broker, so that the pid is the broker's.
launch() {
  setsid "$home/instance/bin/artemis" run </dev/null >"$home/log/output" 2>&1 &
  echo $! >"$home/broker.pid"
}

# The management comes after the AMQP port. A backup has neither open while it waits.
answers() {
  case $as in
    backup) grep -q AMQ221031 "$home/log/output" && return ;;              # announced
    replicating-*) grep -q AMQ221024 "$home/log/output" && return ;;       # it has all that the other one has
  esac
  listens "$port" && curl -sf --noproxy '*' -m 2 -o /dev/null -u "$user:$password" -H "Origin: http://127.0.0.1" \
    "http://127.0.0.1:$management_port/console/jolokia/version" 2>/dev/null
}
