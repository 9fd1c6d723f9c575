/* SPDX-License-Identifier: MIT */
/* The table of network filesystems, and which of them a folder is on. */
#include "base/mount.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/array.h"

/* The magic numbers are those of linux/magic.h; CIFS has had several. All FUSE filesystems, local
 * ones too, share one number. So a network filesystem in FUSE has 0 here and is found by its
 * type. */
static const struct {
	uint32_t magic;
	const char *type, *name;
} network[] = {
	{0x6969, "nfs", "NFS"},        {0x6969, "nfs4", "NFS"},
	{0x517b, "smbfs", "SMB"},      {0xff534d42, "cifs", "SMB"},
	{0xfe534d42, "smb3", "SMB"},   {0x01021997, "9p", "9P"},
	{0x5346414f, "afs", "AFS"},    {0x6b414653, "kafs", "AFS"},
	{0x00c36400, "ceph", "Ceph"},  {0x73757245, "coda", "Coda"},
	{0x564c, "ncpfs", "NCP"},      {0x0bd00bd0, "lustre", "Lustre"},
	{0, "fuse.sshfs", "sshfs"},    {0, "fuse.ceph", "Ceph"},
	{0, "fuse.ceph-fuse", "Ceph"}, {0, "fuse.glusterfs", "GlusterFS"},
	{0, "fuse.davfs", "WebDAV"},   {0, "fuse.davfs2", "WebDAV"},
	{0, "fuse.s3fs", "s3fs"},      {0, "fuse.gcsfuse", "gcsfuse"},
	{0, "fuse.rclone", "rclone"},  {0, "fuse.curlftpfs", "curlftpfs"},
	{0, "fuse.smbnetfs", "SMB"},   {0, "fuse.juicefs", "JuiceFS"},
	{0, "fuse.mfs", "MooseFS"},
};

const char *mount_network_name(uint32_t magic, const char *type)
{
	for (size_t i = 0; i < COUNT_OF(network); i++)
		if ((network[i].magic && network[i].magic == magic) ||
		    strcmp(network[i].type, type) == 0)
			return network[i].name;
	return NULL;
}

/* "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw": the id comes first, the type
 * after the lone hyphen; a blank within a path is written \040. */
bool mount_read_type(const char *line, uint64_t id, char type[MOUNT_TYPE_BYTES])
{
	unsigned long long number;
	const char *hyphen = strstr(line, " - ");

	return hyphen && sscanf(line, "%llu ", &number) == 1 && number == id &&
	       sscanf(hyphen + 3, "%63s", type) == 1;
}

const char *mount_network_of(const char *folder)
{
	char line[4096], type[MOUNT_TYPE_BYTES] = "";
	struct statfs status = {0};
	struct statx extended;
	FILE *mounts;

	if (statfs(folder, &status))
		return NULL;
	mounts = fopen("/proc/self/mountinfo", "re");
	if (mounts && statx(AT_FDCWD, folder, 0, STATX_MNT_ID, &extended) == 0 &&
	    extended.stx_mask & STATX_MNT_ID)
		while (fgets(line, sizeof(line), mounts) &&
		       !mount_read_type(line, extended.stx_mnt_id, type))
			;
	if (mounts)
		fclose(mounts);
	return mount_network_name((uint32_t)status.f_type, type);
}
