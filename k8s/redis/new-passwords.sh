#!/bin/sh
# Writes new random passwords for Redis into the file of an overlay from which its Secret is made:
#   sh k8s/redis/new-passwords.sh k8s/overlays/dev
# Git ignores the file. An existing one is kept: k8s/README.md says how to change the password of a running Redis.
set -eu
umask 077

file=${1:?the directory of an overlay}/redis-passwords.env
if [ -e "$file" ]; then
    echo "$file exists already and stays as it is"
    exit 0
fi

random() {
    od -An -v -tx1 -N24 /dev/urandom | tr -d ' \n'
}

printf 'password=%s\nadmin-password=%s\n' "$(random)" "$(random)" >"$file"
echo "$file written"
