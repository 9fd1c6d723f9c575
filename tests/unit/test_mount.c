/* SPDX-License-Identifier: MIT */
/* Network filesystems by number and by type, and the lines of /proc/self/mountinfo. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/mount.h"

#define FUSE 0x65735546

static void names(void **state)
{
	static const struct {
		uint32_t magic;
		const char *type;
		const char *name; /* NULL: no network filesystem */
	} rows[] = {
		{0x6969, "nfs", "NFS"},
		{0x6969, "nfs4", "NFS"},
		{0x6969, "", "NFS"}, /* /proc/self/mountinfo is missing */
		{0, "nfs4", "NFS"},
		{0xff534d42, "cifs", "SMB"},
		{0xfe534d42, "smb3", "SMB"},
		{0x517b, "", "SMB"},
		{0x01021997, "9p", "9P"},
		{0x5346414f, "afs", "AFS"},
		{0x6b414653, "", "AFS"},
		{0x00c36400, "ceph", "Ceph"},
		{FUSE, "fuse.sshfs", "sshfs"},
		{FUSE, "fuse.glusterfs", "GlusterFS"},
		{FUSE, "fuse.ceph-fuse", "Ceph"},
		{FUSE, "fuse.rclone", "rclone"},
		{FUSE, "", NULL},
		{FUSE, "fuse", NULL},
		{FUSE, "fuseblk", NULL}, /* NTFS on a disk of this machine */
		{FUSE, "fuse.bindfs", NULL},
		{FUSE, "fuse.fuse-overlayfs", NULL},
		{0xef53, "ext4", NULL},
		{0x9123683e, "btrfs", NULL},
		{0x58465342, "xfs", NULL},
		{0x2fc12fc1, "zfs", NULL},
		{0xf2f52010, "f2fs", NULL},
		{0x01021994, "tmpfs", NULL},
		{0x794c7630, "overlay", NULL},
		{0x4d44, "vfat", NULL},
		{0x7366746e, "ntfs3", NULL},
		{0x6a656a63, "virtiofs", NULL},
		{0xfb01, "nfsd", NULL},
		{0, "", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *name = mount_network_name(rows[i].magic, rows[i].type);

		if (rows[i].name)
			assert_string_equal(name, rows[i].name);
		else
			assert_null(name);
	}
}

static void lines(void **state)
{
	static const struct {
		const char *line;
		const char *type; /* NULL: the line is not that of mount 36 */
	} rows[] = {
		{"36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw\n", "ext3"},
		{"36 35 0:54 / /srv\\040-\\040x rw - nfs4 db:/srv rw\n", "nfs4"},
		{"36 35 0:54 / /srv rw shared:1 master:2 - fuse.sshfs a@b:/ rw", "fuse.sshfs"},
		{"136 35 0:54 / /srv rw - nfs4 db:/srv rw\n", NULL},
		{"3 36 0:54 / /srv rw - nfs4 db:/srv rw\n", NULL},
		{"36 35 0:54 / /srv rw", NULL},
		{"36 35 0:54 / /srv rw - ", NULL},
		{"x - nfs", NULL},
		{"", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char type[MOUNT_TYPE_BYTES] = "untouched";

		assert_int_equal(mount_read_type(rows[i].line, 36, type), rows[i].type != NULL);
		if (rows[i].type)
			assert_string_equal(type, rows[i].type);
	}
}

static void this_machine(void **state)
{
	(void)state;
	assert_null(mount_network_of("/proc"));
	assert_null(mount_network_of("/nowhere/at/all"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(lines),
		cmocka_unit_test(this_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
