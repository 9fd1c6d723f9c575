/* SPDX-License-Identifier: MIT */
/* Which filesystems are on the network. There the locks of one machine need not hold on another,
 * and memory that processes share through a file is not shared between machines. */
#ifndef BASE_MOUNT_H
#define BASE_MOUNT_H

#include <stdbool.h>
#include <stdint.h>

/* What a network filesystem is called, by `magic`, the f_type of statfs(2), and `type`, as in
 * /proc/self/mountinfo ("nfs4", "fuse.sshfs"), "" where it is not known. NULL for any other. */
const char *mount_network_name(uint32_t magic, const char *type);

#define MOUNT_TYPE_BYTES 64

/* Finds the type of the mount of that id in a line of /proc/self/mountinfo (proc(5)). False where
 * the line is another mount's. */
bool mount_read_type(const char *line, uint64_t id, char type[MOUNT_TYPE_BYTES]);

/* The name of the network filesystem that a folder is on; NULL where it is on none, or where
 * nothing can be learnt about it. */
const char *mount_network_of(const char *folder);

#endif
