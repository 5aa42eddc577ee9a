#!/bin/sh
# redis-cli with the account "admin", for people:
#   kubectl exec parley-redis-0 -- sh /etc/redis/admin-cli.sh INFO memory
set -eu
REDISCLI_AUTH=$ADMIN_PASSWORD exec redis-cli --user admin "$@"
