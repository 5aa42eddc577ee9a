#!/usr/bin/env bash
# Reads a stream with curl, prints each whole block, and connects again after the last one.
set -u
url=$1
id=''
show() { printf '%s\n' "$1"; }
# example
while sleep 1; do
  block=''
  new=$id
  while IFS= read -r line; do
    block+=$line$'\n'
    case $line in
      id:*) new=${line#id: } ;;
      '') show "$block"; id=$new; block='' ;;
    esac
  done < <(curl --silent --no-buffer ${id:+--header "Last-Event-ID: $id"} "$url")
done
# end
