# Apache Qpid Broker-J from Maven Central; sourced by scripts/broker.
program=$home/work
setup=qpid
user=admin password=admin

# amqp_port NAME PORT [ATTRIBUTES]: a silent client is dropped after qpid.port.heartbeatDelay, in seconds; without it, never.
amqp_port() {
  cat <<TXT
{ "name": "$1", "port": "$2", ${3:-} "bindingAddress": "127.0.0.1", "authenticationProvider": "plain", "protocols": ["AMQP_1_0"],
      "context": { "qpid.port.heartbeatDelay": "${BATON_QPID_HEARTBEAT:-5}" },
      "virtualhostaliases": [ { "name": "nameAlias", "type": "nameAlias" }, { "name": "defaultAlias", "type": "defaultAlias" },
        { "name": "hostnameAlias", "type": "hostnameAlias" } ] }
TXT
}

# The configuration counts for the first start only; later ones find the broker's own in its store, ports included.
configure() {
  from_maven org.apache.qpid:apache-qpid-broker-j:9.2.0:tar.gz
  local stored=$home/work/config.json
  if [ -f "$stored" ]; then
    python3 - "$stored" "$port" "$management_port" <<'PY'
import json, sys
path, amqp, http = sys.argv[1:]
with open(path) as file:
    stored = json.load(file)
for port in stored["ports"]:
    port["port"] = {"AMQP": amqp, "HTTP": http}.get(port["name"], port["port"])
with open(path, "w") as file:
    json.dump(stored, file)
PY
    return
  fi
  mkdir -p "$home/work"
  local keystores='' tls=''
  if [ -n "$tls_port" ]; then
    keystores="\"keystores\": [ { \"name\": \"tls\", \"type\": \"FileKeyStore\", \"keyStoreType\": \"PKCS12\",
    \"storeUrl\": \"$tls_store\", \"password\": \"$tls_password\" } ],"
    tls="$(amqp_port TLS "$tls_port" "\"transports\": [\"SSL\"], \"keyStore\": \"tls\"," ),"
  fi
  cat >"$home/initial.json" <<TXT
{ "name": "baton", "modelVersion": "9.1",
  $keystores
  "authenticationproviders": [ { "name": "plain", "type": "Plain", "secureOnlyMechanisms": [],
    "users": [ { "name": "$user", "type": "managed", "password": "$password" } ] } ],
  "brokerloggers": [ { "name": "logfile", "type": "File", "fileName": "\${qpid.work_dir}/qpid.log", "brokerloginclusionrules": [
    { "name": "Qpid", "type": "NameAndLevel", "level": "INFO", "loggerName": "org.apache.qpid.*" },
    { "name": "Operational", "type": "NameAndLevel", "level": "INFO", "loggerName": "qpid.message.*" } ] } ],
  "ports": [
    $tls
    $(amqp_port AMQP "$port"),
    { "name": "HTTP", "port": "$management_port", "bindingAddress": "127.0.0.1", "authenticationProvider": "plain", "protocols": ["HTTP"] } ],
  "virtualhostnodes": [ { "name": "default", "type": "JSON", "defaultVirtualHostNode": "true",
    "virtualHostInitialConfiguration": "{\"type\":\"BDB\",\"modelVersion\":\"9.1\"}" } ],
  "plugins": [ { "type": "MANAGEMENT-HTTP", "name": "httpManagement", "httpBasicAuthenticationEnabled": true } ] }
TXT
}

# `qpid-server` becomes the broker. derby.log appears in the working directory.
launch() {
  cd "$home/work"
  QPID_WORK=$home/work QPID_JAVA_MEM="-Xms64m -Xmx512m -XX:MaxDirectMemorySize=512m" \
    setsid "$unpacked/qpid-broker/9.2.0/bin/qpid-server" -icp "$home/initial.json" </dev/null >"$home/log/output" 2>&1 &
  echo $! >"$home/broker.pid"
}

# The AMQP port is open before the virtual host is active, and refuses everybody until then.
answers() {
  curl -sf --noproxy '*' -m 2 -u "$user:$password" "http://127.0.0.1:$management_port/api/latest/virtualhost/default/default" 2>/dev/null |
    grep -q '"state" : "ACTIVE"' && listens "$port"
}
