/* What nobody needs any more goes, a little at a time; and reading, which needs no more than a path. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "store/evidence_parts.h"

#define PARTIALS_EVERY_MS (INT64_C(10) * 60 * 1000)

struct sweep {
	struct evidence *e;
	int64_t before_ms;
	_Bool (*is_known)(void *ctx, const uint8_t sha256[EVIDENCE_DIGEST_SIZE]);
	void *ctx;
};

static void look_at(const struct sweep *w, int folder, const char *name)
{
	char ref[EVIDENCE_REF_SIZE];
	uint8_t sha256[EVIDENCE_DIGEST_SIZE];
	struct stat about;

	if (snprintf(ref, sizeof ref, "sha256:%s", name) >= (int)sizeof ref ||
	    !evidence_from_text(ref, strlen(ref), sha256) || fstatat(folder, name, &about, AT_SYMLINK_NOFOLLOW) == -1 ||
	    (int64_t)about.st_mtime * 1000 >= w->before_ms || w->is_known(w->ctx, sha256))
		return;
	if (unlinkat(folder, name, 0) == -1) {
		log_errno("evidence", "what=unlink");
		return;
	}
	w->e->used -= about.st_size;
	log_line(LOG_LEVEL_INFO, "evidence-forgotten", "sha256=%s bytes=%lld", name, (long long)about.st_size);
}

static void each_in(int at, const char *name, const struct sweep *w,
                    void (*one)(const struct sweep *w, int at, const char *name))
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *folder = fd == -1 ? NULL : fdopendir(fd);
	struct dirent *found;

	if (!folder) {
		if (fd != -1)
			close(fd);
		return;
	}
	while ((found = readdir(folder)))
		if (found->d_name[0] != '.')
			one(w, fd, found->d_name);
	closedir(folder);
}

static void look_into(const struct sweep *w, int at, const char *name)
{
	each_in(at, name, w, look_at);
}

void evidence_sweep(struct evidence *e, int64_t wall_ms,
                    _Bool (*is_known)(void *ctx, const uint8_t sha256[EVIDENCE_DIGEST_SIZE]), void *ctx)
{
	struct sweep w = { e, wall_ms - e->limits.unnamed_keep_ms, is_known, ctx };
	char name[3];

	if (wall_ms - e->swept_ms >= PARTIALS_EVERY_MS || wall_ms < e->swept_ms) {
		e->swept_ms = wall_ms;
		evidence_expire_partials(e, wall_ms - e->limits.partial_keep_ms);
	}
	(void)snprintf(name, sizeof name, "%02x", (unsigned)e->sweep_at & 0xff);
	e->sweep_at = (e->sweep_at + 1) & 0xff;
	each_in(e->folder, name, &w, look_into);
}

int64_t evidence_read(const char *folder, const uint8_t sha256[EVIDENCE_DIGEST_SIZE], int64_t offset, uint8_t *bytes,
                      size_t length)
{
	char path[EVIDENCE_PATH_SIZE], whole[4096];
	int64_t had = 0;
	int fd;

	evidence_path(sha256, path);
	if (snprintf(whole, sizeof whole, "%s/%s", folder, path) >= (int)sizeof whole)
		return -1;
	fd = open(whole, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd == -1)
		return -1;
	while (had < (int64_t)length) {
		ssize_t got = pread(fd, bytes + had, length - (size_t)had, offset + had);

		if (got == -1 && errno == EINTR)
			continue;
		if (got <= 0) {
			had = got == 0 ? had : -1;
			break;
		}
		had += got;
	}
	close(fd);
	return had;
}
