/* SPDX-License-Identifier: MIT */
/* Makes the list of paths that the process may use. */
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "confine_private.h"

/* What docket and its libraries read. Programs replace files of /etc while docket runs, such as
 * resolv.conf, and so it must be the whole folder. The mode of each file still limits who may read
 * it. */
static const struct {
	const char *path;
	unsigned rights;
} system_paths[] = {
	{"/etc", CONFINE_READ},
	{"/usr", CONFINE_READ}, /* libraries, tzdata, locales, certificates */
	{"/lib", CONFINE_READ}, /* where it is not in /usr */
	{"/lib32", CONFINE_READ},
	{"/lib64", CONFINE_READ},
	{"/proc", CONFINE_READ},             /* Landlock hides the memory of other processes */
	{"/proc/self/task", CONFINE_CHANGE}, /* libmicrohttpd names its threads */
	{"/sys/devices/system/cpu", CONFINE_READ},
	{"/dev/null", CONFINE_CHANGE},
	{"/dev/random", CONFINE_READ},
	{"/dev/urandom", CONFINE_READ},
	/* To where others may make /etc/resolv.conf lead later, and the caches of names. */
	{"/run/systemd/resolve", CONFINE_READ},
	{"/run/resolvconf", CONFINE_READ},
	{"/run/NetworkManager", CONFINE_READ},
	{"/run/connman", CONFINE_READ},
	{"/run/nscd", CONFINE_READ},
	{"/var/cache/nscd", CONFINE_READ},
};

/* Files that may be links to a place outside of the folders above. */
static const char *const linked_paths[] = {
	"/etc/resolv.conf",
	"/etc/hosts",
	"/etc/ssl/certs/ca-certificates.crt",
	"/etc/ssl/cert.pem",
	"/etc/pki/tls/certs/ca-bundle.crt",
};

/* Variables that lead libraries to other places: tzdata, OpenSSL, libpq, Kerberos. */
static const char *const variables[] = {
	"TZDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "OPENSSL_CONF", "PGSYSCONFDIR", "KRB5_CONFIG",
};

static void list_append(struct confine_list *list, const char *path, unsigned rights)
{
	struct confine_path *added = arena_alloc(&list->arena, sizeof(*added));
	char *copy = arena_copy(&list->arena, slice_of(path));

	if (!added || !copy) {
		list->failed = true;
		return;
	}
	*added = (struct confine_path){NULL, copy, NULL, rights};
	if (list->last)
		list->last->next = added;
	else
		list->first = added;
	list->last = added;
}

/* The folder above; the path itself if that is "/". */
static void path_rise(char path[PATH_MAX])
{
	char copy[PATH_MAX], real[PATH_MAX];
	const char *above;

	memcpy(copy, path, strlen(path) + 1);
	above = dirname(copy);
	if (!realpath(above, real) || strcmp(real, "/") != 0)
		memmove(path, above, strlen(above) + 1);
}

static void list_add_folder(struct confine_list *list, const char *path, unsigned rights)
{
	char folder[PATH_MAX], real[PATH_MAX];

	snprintf(folder, sizeof(folder), "%s", path);
	path_rise(folder);
	list_append(list, folder, rights);
	if (!realpath(path, real))
		return;
	path_rise(real);
	if (strcmp(real, folder) != 0)
		list_append(list, real, rights);
}

static bool path_is_mount_point(const char *path)
{
	struct statx status;

	return statx(AT_FDCWD, path, 0, 0, &status) == 0 &&
	       status.stx_attributes & STATX_ATTR_MOUNT_ROOT;
}

/* Rises until there is something that is no mount point. */
static void list_add_target(struct confine_list *list, const char *path, unsigned rights)
{
	char at[PATH_MAX], real[PATH_MAX];
	bool rose = false;

	snprintf(at, sizeof(at), "%s", path);
	while (!realpath(at, real)) {
		size_t len = strlen(at);

		path_rise(at);
		if (strlen(at) == len)
			return;
		rose = true;
	}
	if (path_is_mount_point(real)) {
		path_rise(real);
		rose = true;
	}
	list_append(list, real, rights);
	if (rose && !list->failed)
		list->last->instead_of = arena_copy(&list->arena, slice_of(path));
}

void confine_add(struct confine_list *list, const char *path, enum confine_scope scope,
		 unsigned rights)
{
	static void (*const adds[])(struct confine_list *, const char *, unsigned) = {
		[CONFINE_ITSELF] = list_append,
		[CONFINE_FOLDER] = list_add_folder,
		[CONFINE_TARGET] = list_add_target,
	};

	if (path && *path && strlen(path) < PATH_MAX)
		adds[scope](list, path, rights);
}

void confine_add_system(struct confine_list *list)
{
	for (size_t i = 0; i < COUNT_OF(system_paths); i++)
		list_append(list, system_paths[i].path, system_paths[i].rights);
	for (size_t i = 0; i < COUNT_OF(linked_paths); i++)
		confine_add(list, linked_paths[i], CONFINE_FOLDER, CONFINE_READ);
	for (size_t i = 0; i < COUNT_OF(variables); i++)
		confine_add(list, getenv(variables[i]), CONFINE_ITSELF, CONFINE_READ);
}

void confine_list_release(struct confine_list *list)
{
	arena_release(&list->arena);
	*list = (struct confine_list){0};
}
