#!/bin/sh
# Writes a new random secret for tokens into the file of an overlay from which its Secret is made:
#   sh k8s/components/access-secret/new-secret.sh k8s/overlays/production
# Git ignores the file. An existing one is kept, since a new secret ends every token that was signed with the old one.
set -eu
umask 077

file=${1:?the directory of an overlay}/access-secret.env
if [ -e "$file" ]; then
    echo "$file exists already and stays as it is"
    exit 0
fi

printf 'secret=%s\n' "$(od -An -v -tx1 -N32 /dev/urandom | tr -d ' \n')" >"$file"
echo "$file written"
