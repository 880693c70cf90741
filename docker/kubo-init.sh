#!/bin/sh
# Run by Kubo's image before each start of the node: it joins no network, is told of no network, and announces nothing. The worker reads
# this configuration before its first export, and refuses any other (packages/core/src/store/kubo/exposure.ts).
set -eu

# Nobody else has this key, and LIBP2P_FORCE_PNET=1 keeps the node from starting without one.
key=$IPFS_PATH/swarm.key
if [ ! -s "$key" ]; then
  umask 077
  printf '/key/swarm/psk/1.0.0/\n/base16/\n%s\n' "$(tr -dc '0-9a-f' < /dev/urandom | head -c 64)" > "$key.new"
  mv "$key.new" "$key"
fi

# Published defaults ("auto") are those of the public network; with a swarm key Kubo does not start unless they are gone.
ipfs config --json AutoConf.Enabled false
ipfs config --json Bootstrap '[]'
ipfs config --json DNS.Resolvers '{}'
ipfs config --json Routing.DelegatedRouters '[]'
ipfs config --json Ipns.DelegatedPublishers '[]'
ipfs config --json AutoTLS.Enabled false

ipfs config Routing.Type none
ipfs config --json Provide.Enabled false
ipfs config --json Discovery.MDNS.Enabled false
ipfs config --json Swarm.DisableNatPortMap true

# Of the container's own loopback. Listening nowhere at all is something that libp2p reports as an error (go-libp2p, issue 564).
ipfs config --json Addresses.Swarm '["/ip4/127.0.0.1/tcp/4001"]'
ipfs config Addresses.Gateway /ip4/127.0.0.1/tcp/8080
ipfs config Addresses.API /ip4/0.0.0.0/tcp/5001

# Nobody else, and of these two each what it needs: the API reads files, the worker keeps them (packages/core/src/store/kubo). Both may ask
# for the version. Here, too, a command to the running node needs one of them: ipfs --api-auth="bearer:$KUBO_WORKER_TOKEN" pin ls
ipfs config --json API.Authorizations "$(cat <<END
{
  "api": { "AuthSecret": "bearer:${KUBO_API_TOKEN:?}", "AllowedPaths": ["/api/v0/cat", "/api/v0/repo/stat"] },
  "worker": { "AuthSecret": "bearer:${KUBO_WORKER_TOKEN:?}", "AllowedPaths": [
    "/api/v0/add", "/api/v0/cat", "/api/v0/config/show", "/api/v0/diag/cmds", "/api/v0/files/stat", "/api/v0/pin/ls", "/api/v0/pin/rm", "/api/v0/repo/gc"] }
}
END
)"
