#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs a shell script in a copy of this machine and then throws the copy away: sandbox.sh SCRIPT. The
# script starts in the current folder. The copy has its own files, processes and loopback interface, no
# other network, and no DOCKET_LISTEN from outside. Needs root.
set -eu

if [ "$1" != inside ]; then
	exec unshare --mount --net --pid --ipc --uts --fork --kill-child -- "$0" inside "$1"
fi

ip link set lo up
mount -t tmpfs tmpfs /mnt

# Copies a folder to its place in the new root. Writes to the copy stay in memory.
copy()
{
	written=$(mktemp -d /mnt/written.XXXXXX)
	mkdir -p "$written/upper" "$written/work" "/mnt/root$1"
	mount -t overlay overlay -o "lowerdir=$1,upperdir=$written/upper,workdir=$written/work" \
		"/mnt/root$1"
}

cp "$2" /mnt/script
copy /
# An overlay does not include filesystems that are mounted below its folder.
mounted=$(stat --format %m .)
[ "$mounted" = / ] || copy "$mounted"
mount -t proc proc /mnt/root/proc
mount --rbind /dev /mnt/root/dev
mount -t tmpfs tmpfs /mnt/root/run # without the sockets of this machine's servers
mkdir -m 1777 /mnt/root/run/lock
cp /mnt/script /mnt/root/run/script
# shellcheck disable=SC2016 # for the shell that is started
exec chroot /mnt/root env -u DOCKET_LISTEN sh -c 'cd "$1" && exec sh /run/script' sh "$PWD"
