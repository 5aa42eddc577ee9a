#!/usr/bin/env bash
# Reads a stream with curl, prints each whole block, and connects again after the last one.
set -u
url=$1
id=''
show() { printf '%s\n' "$1"; }
# example
while sleep 1; do
  block=''
  while IFS= read -r line; do
    block+=$line$'\n'
    case $line in
      id:*) id=${line#id: } ;;
      '') show "$block"; block='' ;;
    esac
  done < <(curl --silent --no-buffer ${id:+--header "Last-Event-ID: $id"} "$url")
done
# end
