/* What the disk and the folders look like. Files are only looked at from outside: opening a database that is in use would
 * drop the locks of a process on it when it closes. */
#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>

#include "base/credential.h"
#include "doctor.h"

#define FREE_PROBLEM (64 << 20) /* below this the next checkpoint may not fit */
#define FREE_WARNING (INT64_C(1) << 30)
#define FILES_WARNING 1000

#define AREA_DISK "disk 磁盘"
#define AREA_RIGHTS "permissions 权限"

#ifndef CIFS_SUPER_MAGIC
#define CIFS_SUPER_MAGIC 0xFF534D42
#endif
#ifndef SMB2_SUPER_MAGIC
#define SMB2_SUPER_MAGIC 0xFE534D42
#endif

static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = NULL;

	if (!slash)
		return must_strdup(".");
	must(asprintf(&folder, "%.*s", slash == path ? 1 : (int)(slash - path), path) >= 0);
	return folder;
}

/* ---- room ---- */

static const struct {
	unsigned type;
	enum health health;
	const char *what, *todo;
} unfit[] = {
	{ NFS_SUPER_MAGIC, HEALTH_PROBLEM, "a network disk (NFS)",
	  "move it to a local disk: locks and syncs over a network lose data" },
	{ CIFS_SUPER_MAGIC, HEALTH_PROBLEM, "a network disk (CIFS)",
	  "move it to a local disk: locks and syncs over a network lose data" },
	{ SMB2_SUPER_MAGIC, HEALTH_PROBLEM, "a network disk (SMB)",
	  "move it to a local disk: locks and syncs over a network lose data" },
	{ TMPFS_MAGIC, HEALTH_WARNING, "memory (tmpfs), which a power cut empties", "move it to a disk" },
};

static void look_at_kind(struct doctor *d, const char *folder)
{
	struct statfs about;

	if (statfs(folder, &about) == -1)
		return;
	for (size_t i = 0; i < sizeof unfit / sizeof *unfit; i++)
		if ((unsigned)about.f_type == unfit[i].type)
			doctor_find(d, unfit[i].health, AREA_DISK, unfit[i].todo, "%s lies on %s", folder,
			            unfit[i].what);
}

static void look_at_room(struct doctor *d, const char *folder, int64_t least)
{
	struct statvfs about;
	char room[DOCTOR_SIZE_TEXT];

	if (statvfs(folder, &about) == -1) {
		doctor_find(d, HEALTH_PROBLEM, AREA_DISK, "make the folder, or mend the key in the configuration",
		            "%s: %s", folder, strerror(errno));
		return;
	}
	int64_t left = (int64_t)about.f_bavail * (int64_t)about.f_frsize;
	enum health health = left < FREE_PROBLEM ? HEALTH_PROBLEM : left < least ? HEALTH_WARNING : HEALTH_OK;

	doctor_find(d, health, AREA_DISK, "make room: reports are refused with \"retry later\" when the disk is full",
	            "%s has %s free", folder, doctor_size(left, room));
	if (about.f_files > 0 && about.f_favail < FILES_WARNING)
		doctor_find(d, HEALTH_WARNING, AREA_DISK, "remove small files: no more can be made soon",
		            "%s has room for %llu more files", folder, (unsigned long long)about.f_favail);
	look_at_kind(d, folder);
}

void doctor_disk(struct doctor *d)
{
	const struct config *c = &d->config;
	char *folder = folder_of(c->database);
	struct stat first, second;

	look_at_room(d, folder, FREE_WARNING);
	if (stat(folder, &first) == 0 && stat(c->evidence, &second) == 0 && first.st_dev != second.st_dev)
		look_at_room(d, c->evidence, c->evidence_free_min > FREE_WARNING ? c->evidence_free_min : FREE_WARNING);
	free(folder);
}

/* ---- who may ---- */

static void look_at_owner(struct doctor *d, const char *path, const struct stat *folder)
{
	struct stat about;

	if (stat(path, &about) == -1 || about.st_uid == folder->st_uid)
		return;
	doctor_find(d, HEALTH_PROBLEM, AREA_RIGHTS, "chown it to the folder's owner: the daemon cannot write to it",
	            "%s belongs to user %u, its folder to user %u", path, about.st_uid, folder->st_uid);
}

/* Whether others come to what lies in the folder. */
static void look_at_others(struct doctor *d, const char *path, const struct stat *folder)
{
	struct stat about;

	if (stat(path, &about) == -1 || !(folder->st_mode & S_IXOTH))
		return;
	if (about.st_mode & S_IWOTH)
		doctor_find(d, HEALTH_PROBLEM, AREA_RIGHTS, "chmod o-rwx", "everybody on this machine may write to %s",
		            path);
	else if (about.st_mode & S_IROTH)
		doctor_find(d, HEALTH_WARNING, AREA_RIGHTS, "chmod o-rwx: it holds what people have reported",
		            "everybody on this machine may read %s", path);
}

static void look_at_folder(struct doctor *d)
{
	static const char *const endings[] = { "", "-wal", "-shm", ".lock" };
	char *name = folder_of(d->config.database);
	struct stat folder;

	if (stat(name, &folder) == 0) {
		if (folder.st_mode & S_IWOTH && !(folder.st_mode & S_ISVTX))
			doctor_find(d, HEALTH_PROBLEM, AREA_RIGHTS, "chmod o-rwx",
			            "everybody on this machine may write to %s", name);
		for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
			char *file = NULL;

			must(asprintf(&file, "%s%s", d->config.database, endings[i]) >= 0);
			look_at_owner(d, file, &folder);
			look_at_others(d, file, &folder);
			free(file);
		}
		look_at_owner(d, d->config.evidence, &folder);
		look_at_others(d, d->config.evidence, &folder);
	}
	free(name);
}

static void look_at_config(struct doctor *d)
{
	struct stat about;
	const char *path = d->config.path;

	if (stat(path, &about) == -1)
		return;
	if (about.st_mode & S_IWOTH)
		doctor_find(d, HEALTH_PROBLEM, AREA_RIGHTS, "chmod o-w", "everybody on this machine may write to %s",
		            path);
	if (about.st_mode & S_IROTH && d->config.redis_password[0] != '\0' &&
	    !credential_is_named(d->config.redis_password))
		doctor_find(d, HEALTH_PROBLEM, AREA_RIGHTS, "chmod o-r, and change the password",
		            "everybody on this machine may read the password in %s", path);
}

void doctor_permissions(struct doctor *d)
{
	size_t before = d->count;

	look_at_folder(d);
	look_at_config(d);
	if (d->count == before)
		doctor_find(d, HEALTH_OK, AREA_RIGHTS, NULL,
		            "database, evidence and configuration are the daemon's alone");
}
