#include "store/outlet.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* So much is on its way to the disk at most: the daemon's own syncs must not wait behind a gigabyte of ours. */
#define SYNC_EVERY (4 << 20)
#define BLOCK (64 * 1024)

_Bool outlet_failed(char **cause, const char *what, const char *path)
{
	const char *words = errno == EFBIG ? "the file would be larger than is allowed here" : strerror(errno);

	must(asprintf(cause, "%s %s: %s", what, path, words) >= 0);
	return 0;
}

/* ---- opening ---- */

static _Bool make_part(struct outlet *o, char **cause)
{
	o->fd = open(o->part, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, OUTLET_MODE);
	if (o->fd == -1)
		return outlet_failed(cause, "cannot make", o->part);
	if (flock(o->fd, LOCK_EX | LOCK_NB) == 0 && ftruncate(o->fd, 0) == 0)
		return 1;
	if (errno == EWOULDBLOCK)
		must(asprintf(cause, "%s is being made by another process just now", o->path) >= 0);
	else
		(void)outlet_failed(cause, "cannot make", o->part);
	/* It is not ours to remove. */
	free(o->part);
	o->part = NULL;
	return 0;
}

_Bool outlet_open(struct outlet *o, const char *path, int fd, char **cause)
{
	*o = (struct outlet){ .fd = fd, .digester = digester_new() };
	digest_begin(o->digester);
	if (!path)
		return 1;
	o->path = must_strdup(path);
	must(asprintf(&o->part, "%s.part", path) >= 0);
	return make_part(o, cause);
}

void outlet_close(struct outlet *o)
{
	if (o->path && o->fd != -1) {
		if (o->part)
			(void)unlink(o->part);
		(void)close(o->fd);
	}
	digester_free(o->digester);
	free(o->path);
	free(o->part);
	*o = (struct outlet){ .fd = -1 };
}

/* ---- bytes ---- */

int64_t outlet_take(int fd, void *bytes, size_t length)
{
	size_t had = 0;

	while (had < length) {
		ssize_t got = read(fd, (char *)bytes + had, length - had);

		if (got == -1 && errno == EINTR)
			continue;
		if (got == -1)
			return -1;
		if (got == 0)
			break;
		had += (size_t)got;
	}
	return (int64_t)had;
}

static void count(struct outlet *o, const void *bytes, size_t length)
{
	digest_add(o->digester, bytes, length);
	o->bytes += (int64_t)length;
}

_Bool outlet_write(struct outlet *o, const void *bytes, size_t length, char **cause)
{
	const char *at = bytes;
	size_t left = length;

	while (left > 0) {
		ssize_t done = write(o->fd, at, left);

		if (done == -1 && errno == EINTR)
			continue;
		if (done == -1)
			return outlet_failed(cause, "cannot write", o->path ? o->path : "the pipe");
		at += done;
		left -= (size_t)done;
	}
	int64_t before = o->bytes / SYNC_EVERY;

	count(o, bytes, length);
	if (o->path && o->bytes / SYNC_EVERY > before && fdatasync(o->fd) == -1)
		return outlet_failed(cause, "cannot write", o->path);
	return 1;
}

_Bool outlet_read_back(struct outlet *o, char **cause)
{
	char bytes[BLOCK];
	int64_t got;

	if (lseek(o->fd, 0, SEEK_SET) == -1)
		return outlet_failed(cause, "cannot read", o->part);
	while ((got = outlet_take(o->fd, bytes, sizeof bytes)) > 0)
		count(o, bytes, (size_t)got);
	return got == 0 || outlet_failed(cause, "cannot read", o->part);
}

/* ---- the end ---- */

char *outlet_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = NULL;

	if (!slash)
		return must_strdup(".");
	must(asprintf(&folder, "%.*s", slash == path ? 1 : (int)(slash - path), path) >= 0);
	return folder;
}

_Bool outlet_sync_folder(const char *path)
{
	char *name = outlet_folder(path);
	int fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_Bool done = fd != -1 && fsync(fd) == 0;

	if (fd != -1)
		(void)close(fd);
	free(name);
	return done;
}

_Bool outlet_finish(struct outlet *o, char digest[DIGEST_TEXT_SIZE], char **cause)
{
	uint8_t bytes[DIGEST_SIZE];

	digest_end(o->digester, bytes);
	digest_text(bytes, digest);
	if (!o->path)
		return 1;
	if (fsync(o->fd) == -1 || rename(o->part, o->path) == -1)
		return outlet_failed(cause, "cannot finish", o->path);
	free(o->part);
	o->part = NULL;
	return outlet_sync_folder(o->path) || outlet_failed(cause, "cannot finish", o->path);
}
