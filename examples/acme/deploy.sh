#!/bin/sh
# SPDX-License-Identifier: MIT
# Gives a new certificate to docket, and makes docket read it. certbot calls this as --deploy-hook, lego as --run-hook
# and as --renew-hook. From the environment, if these are not right:
#   DOCKET_TLS     the folder in which docket finds fullchain.pem and privkey.pem: /etc/docket/tls
#   DOCKET_GROUP   the group that may read them: docket
#   DOCKET_RELOAD  what makes docket read them: systemctl reload docket, if the service runs
set -eu

if [ -n "${RENEWED_LINEAGE:-}" ]; then # by certbot
	chain=$RENEWED_LINEAGE/fullchain.pem
	key=$RENEWED_LINEAGE/privkey.pem
elif [ -n "${LEGO_CERT_PATH:-}" ] && [ -n "${LEGO_CERT_KEY_PATH:-}" ]; then # by lego
	chain=$LEGO_CERT_PATH
	key=$LEGO_CERT_KEY_PATH
else
	echo "$0: neither RENEWED_LINEAGE nor LEGO_CERT_PATH is set: let certbot or lego call this script" >&2
	exit 2
fi

chain=$(realpath "$chain") key=$(realpath "$key")
live=${DOCKET_TLS:-/etc/docket/tls}
group=${DOCKET_GROUP:-docket}
for file in fullchain.pem privkey.pem; do
	if [ -e "$live/$file" ] && [ ! -L "$live/$file" ]; then
		echo "$0: $live/$file is a file, not a link of this script: move it, or give another DOCKET_TLS" >&2
		exit 1
	fi
done
mkdir -p "$(dirname "$live")"
umask 077
mkdir -p "$live"
cd "$live"
new=$(mktemp -d pair.XXXXXXXX)
trap 'rm -rf "$new" "$new.link"' EXIT
trap exit INT TERM
cp "$chain" "$new/fullchain.pem"
cp "$key" "$new/privkey.pem"
chgrp "$group" . "$new" "$new/fullchain.pem" "$new/privkey.pem"
chmod 750 . "$new"
chmod 640 "$new/fullchain.pem" "$new/privkey.pem"

# The rename of a link replaces both files at one moment, so a certificate is never beside the key of another one.
old=$(readlink current) || old=
ln -s "$new" "$new.link"
mv -T "$new.link" current
ln -sf current/fullchain.pem current/privkey.pem .
trap - EXIT

if [ -n "${DOCKET_RELOAD:-}" ]; then
	sh -c "$DOCKET_RELOAD"
elif systemctl is-active --quiet docket.service; then
	systemctl reload docket.service
fi
case $old in
pair.????????) rm -rf "./$old" ;;
esac
