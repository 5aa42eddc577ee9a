#!/bin/sh
# Starts Redis with the accounts of users.acl and the passwords of the environment:
#   REDISCLI_AUTH      the password of the account "default"; redis-cli reads it under this name, so the probes use it too
#   PREVIOUS_PASSWORD  its former password, which also works while the password is being changed; may be missing
#   ADMIN_PASSWORD     the password of the account "admin"
# The arguments are handed on to redis-server. Passwords are neither printed nor passed as arguments, and the ACL file
# has only their hashes.
set -eu
umask 077

config=${REDIS_CONFIG:-/etc/redis}
data=${REDIS_DATA:-/data}
run=${REDIS_RUN:-/run/redis}

# A password as an ACL file takes it: "#" and the SHA-256 hash.
hashed() {
    printf '#%s' "$(printf %s "$1" | sha256sum | cut -d ' ' -f 1)"
}

if [ -z "$REDISCLI_AUTH" ] || [ -z "$ADMIN_PASSWORD" ]; then
    echo 'The Secret parley-redis has an empty password: see "The password of Redis" in k8s/README.md' >&2
    exit 1
fi
passwords=$(hashed "$REDISCLI_AUTH")
if [ -n "${PREVIOUS_PASSWORD:-}" ]; then
    passwords="$passwords $(hashed "$PREVIOUS_PASSWORD")"
fi

# ADMIN_PASSWORD first: it ends with the other word.
sed -e '/^#/d' \
    -e "s/ ADMIN_PASSWORD / $(hashed "$ADMIN_PASSWORD") /" \
    -e "s/ PASSWORD / $passwords /" \
    "$config/users.acl" >"$run/users.acl"

# The server needs the hashes only, so the passwords do not stay in its environment.
unset REDISCLI_AUTH PREVIOUS_PASSWORD ADMIN_PASSWORD
exec redis-server "$config/redis.conf" --dir "$data" --aclfile "$run/users.acl" "$@"
