#include "store/room.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/log.h"

#define BLOCK 512 /* st_blocks counts these */

static int64_t free_bytes(const struct room *r)
{
	struct statvfs about;

	if (statvfs(r->folder, &about) == 0)
		return (int64_t)about.f_bavail * (int64_t)about.f_frsize;
	/* Whoever writes will hear of it; what cannot be measured is not called short. */
	log_errno("disk-room", "folder=\"%s\"", r->folder);
	return INT64_MAX;
}

/* ---- the ballast ---- */

/* Its blocks must really be there, not only its length. */
static _Bool is_whole(const struct room *r)
{
	struct stat about;

	return stat(r->ballast, &about) == 0 && (int64_t)about.st_blocks * BLOCK >= r->limits.ballast;
}

static void make_ballast(struct room *r)
{
	int fd = open(r->ballast, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600), result;

	if (fd == -1) {
		log_errno("disk-ballast", "made=no");
		r->limits.ballast = 0; /* not every second again */
		return;
	}
	result = posix_fallocate(fd, 0, (off_t)r->limits.ballast);
	(void)close(fd);
	r->has_ballast = result == 0;
	if (r->has_ballast) {
		log_line(LOG_LEVEL_INFO, "disk-ballast", "made=yes bytes=%lld", (long long)r->limits.ballast);
		return;
	}
	(void)unlink(r->ballast);
	if (result != ENOSPC)
		r->limits.ballast = 0;
	log_line(LOG_LEVEL_WARNING, "disk-ballast", "made=no errno=%d", result);
}

_Bool room_give_up_ballast(struct room *r)
{
	if (!r->has_ballast)
		return 0;
	r->has_ballast = 0;
	if (unlink(r->ballast) == -1) {
		log_errno("disk-ballast", "given_up=no");
		return 0;
	}
	log_line(LOG_LEVEL_WARNING, "disk-ballast", "given_up=yes bytes=%lld", (long long)r->limits.ballast);
	return 1;
}

/* ---- looking ---- */

static void note(struct room *r, int64_t left)
{
	_Bool is_short = left < r->limits.free_least;

	if (is_short == r->is_short)
		return;
	r->is_short = is_short;
	log_line(is_short ? LOG_LEVEL_ERROR : LOG_LEVEL_NOTICE, is_short ? "disk-short" : "disk-has-room",
	         "free=%lld least=%lld reports=%s", (long long)left, (long long)r->limits.free_least,
	         is_short ? "refused" : "taken");
}

static void look(struct room *r)
{
	int64_t left = free_bytes(r);

	if (left < r->limits.free_least / ROOM_BALLAST_SHARE && room_give_up_ballast(r))
		left = free_bytes(r);
	note(r, left);
	if (!r->has_ballast && r->limits.ballast > 0 && left - r->limits.ballast >= r->limits.free_least)
		make_ballast(r);
}

static _Bool watches(const struct room *r)
{
	return r->limits.ballast > 0 || r->limits.free_least > 0;
}

void room_look(struct room *r, int64_t mono_ms)
{
	if (!watches(r) || mono_ms < r->next_look_ms)
		return;
	r->next_look_ms = mono_ms + ROOM_LOOK_MS;
	look(r);
}

void room_init(struct room *r, const char *database, const struct room_limits *limits)
{
	char *path = must_strdup(database);

	*r = (struct room){ .limits = *limits };
	r->folder = must_strdup(dirname(path));
	must(asprintf(&r->ballast, "%s.ballast", database) >= 0);
	free(path);
	r->has_ballast = limits->ballast > 0 && is_whole(r);
	if (watches(r))
		look(r);
}

void room_close(struct room *r)
{
	free(r->folder);
	free(r->ballast);
	r->folder = r->ballast = NULL;
}
