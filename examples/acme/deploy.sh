#!/bin/sh
# SPDX-License-Identifier: MIT
# Gives a new certificate to docket, and makes docket read it. certbot calls this as --deploy-hook, lego as --run-hook
# and as --renew-hook. From the environment, if these are not right:
#   DOCKET_TLS     where docket finds fullchain.pem and privkey.pem: /etc/docket/tls, a link that this script makes
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

live=${DOCKET_TLS:-/etc/docket/tls}
if [ -e "$live" ] && [ ! -L "$live" ]; then
	echo "$0: $live is not a link of this script: give another DOCKET_TLS" >&2
	exit 1
fi
umask 077
new=$(mktemp -d "$live.XXXXXXXX")
trap 'rm -rf "$new" "$new.link"' EXIT
trap exit INT TERM
cp "$chain" "$new/fullchain.pem"
cp "$key" "$new/privkey.pem"
chgrp -R "${DOCKET_GROUP:-docket}" "$new"
chmod 750 "$new"
chmod 640 "$new/fullchain.pem" "$new/privkey.pem"

# The rename of a link replaces both files at one moment, so a certificate is never beside the key of another one.
old=$(readlink "$live") || old=
ln -s "$(basename "$new")" "$new.link"
mv -T "$new.link" "$live"
trap - EXIT

if [ -n "${DOCKET_RELOAD:-}" ]; then
	sh -c "$DOCKET_RELOAD"
elif systemctl is-active --quiet docket.service; then
	systemctl reload docket.service
fi
# Only a folder that this script has made.
cd "$(dirname "$live")"
case $old in
"$(basename "$live")".????????) rm -rf "./$old" ;;
esac
