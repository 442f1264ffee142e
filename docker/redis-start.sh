#!/bin/sh
# Starts the queue's Redis with a password, which it makes when it first starts. The others read its whole address from
# the same volume. To change the password: remove both files, start Redis again, and then the others.
set -eu
folder=/run/pagemill-redis
if [ ! -s "$folder/url" ]; then
    password=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')
    printf 'requirepass %s\n' "$password" >"$folder/password.conf"
    printf 'redis://:%s@redis:6379/0\n' "$password" >"$folder/url.new"
    mv "$folder/url.new" "$folder/url"
fi
exec docker-entrypoint.sh redis-server /etc/redis/redis.conf
