/* SPDX-License-Identifier: MIT */
/* Recognizes network filesystems. There, a lock that one machine holds may be ignored by another,
 * and memory that processes share through a file is not shared between machines. */
#ifndef BASE_MOUNT_H
#define BASE_MOUNT_H

#include <stdbool.h>
#include <stdint.h>

/* The name of a network filesystem; NULL for any other filesystem. `magic` is the f_type of
 * statfs(2). `type` is as in /proc/self/mountinfo ("nfs4", "fuse.sshfs"), "" if it is not known. */
const char *mount_network_name(uint32_t magic, const char *type);

#define MOUNT_TYPE_BYTES 64

/* Reads a line of /proc/self/mountinfo (proc(5)). Writes the type of the mount if the line is that
 * of mount `id`; false if it is another's. */
bool mount_read_type(const char *line, uint64_t id, char type[MOUNT_TYPE_BYTES]);

/* The name of the network filesystem that a folder is on; NULL if it is on none, or if that cannot
 * be found out. */
const char *mount_network_of(const char *folder);

#endif
