/* An upload of which every byte is here becomes evidence, or goes. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/log.h"
#include "store/evidence_parts.h"
#include "store/look.h"

struct evidence_proof {
	struct evidence *evidence;
	struct digester *digester;
	uint8_t sha256[EVIDENCE_DIGEST_SIZE];
	char *person;
	int fd;
	int64_t at, size;
	uint8_t head[EVIDENCE_HEAD];
	size_t head_length;
};

struct evidence_proof *evidence_proof_new(struct evidence *e, const struct evidence_upload *u)
{
	struct evidence_proof *p = must_calloc(1, sizeof *p);
	struct partial *partial = evidence_partial(e, u->person, u->sha256);

	p->evidence = e;
	p->digester = digester_new();
	p->person = must_strdup(u->person);
	p->size = u->size;
	memcpy(p->sha256, u->sha256, sizeof p->sha256);
	p->fd = partial ? evidence_open_partial(e, partial, O_RDONLY) : -1;
	digest_begin(p->digester);
	return p;
}

void evidence_proof_free(struct evidence_proof *p)
{
	if (!p)
		return;
	if (p->fd != -1)
		close(p->fd);
	digester_free(p->digester);
	free(p->person);
	free(p);
}

static enum proof_result fail(struct evidence_proof *p)
{
	evidence_drop_partial(p->evidence, p->person, p->sha256);
	return PROOF_FAILS;
}

/* ---- into its place ---- */

/* Makes a folder and has its name on disk before anything in it counts. */
static _Bool make_folder(int at, const char *name)
{
	if (mkdirat(at, name, EVIDENCE_FOLDER_MODE) == -1)
		return errno == EEXIST;
	return fsync(at) == 0;
}

static int open_place(struct evidence *e, const char *path)
{
	char outer[3] = { path[0], path[1], '\0' }, inner[6];
	int outer_fd, fd = -1;

	(void)snprintf(inner, sizeof inner, "%.5s", path);
	if (!make_folder(e->folder, outer))
		return -1;
	outer_fd = openat(e->folder, outer, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (outer_fd != -1 && make_folder(outer_fd, inner + 3))
		fd = openat(e->folder, inner, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (outer_fd != -1)
		close(outer_fd);
	return fd;
}

/* A second name for the same file: the partial stays until the database has its row, so a crash in between only means
 * that this is done once more. A file that lies there already is touched, so that no sweep takes it for forgotten. */
static _Bool link_into_place(struct evidence_proof *p)
{
	char path[EVIDENCE_PATH_SIZE], from[40];
	int place;
	_Bool is_new, done;

	evidence_path(p->sha256, path);
	place = open_place(p->evidence, path);
	if (place == -1)
		return 0;
	(void)snprintf(from, sizeof from, "/proc/self/fd/%d", p->fd);
	is_new = linkat(AT_FDCWD, from, place, path + 6, AT_SYMLINK_FOLLOW) == 0;
	done = (is_new || utimensat(place, path + 6, NULL, 0) == 0) && fsync(place) == 0;
	close(place);
	if (done && is_new)
		p->evidence->used += p->size;
	return done;
}

static enum proof_result end(struct evidence_proof *p, struct evidence_found *found, struct refusal *why)
{
	uint8_t digest[DIGEST_SIZE];
	enum evidence_kind kind;

	digest_end(p->digester, digest);
	if (memcmp(digest, p->sha256, sizeof digest) != 0) {
		(void)refuse(why, REFUSAL_INVALID, "content-has-its-digest",
		             "The bytes that came do not have this SHA-256; they are dropped, begin anew.");
		return fail(p);
	}
	found->type = evidence_type(p->head, p->head_length, &kind);
	if (!found->type) {
		(void)evidence_refuse_type(why);
		return fail(p);
	}
	int64_t most = kind == EVIDENCE_IMAGE ? p->evidence->limits.image_most : p->evidence->limits.clip_most;

	if (p->size > most) {
		(void)refuse(why, REFUSAL_TOO_LARGE, "file-is-small-enough", "A file of type %s may have %lld bytes.",
		             found->type, (long long)most);
		return fail(p);
	}
	if (fsync(p->fd) == 0 && link_into_place(p)) {
		look_at_file(p->fd, found->type, p->sha256, found->look);
		return PROOF_HOLDS;
	}
	/* The partial stays: nothing is wrong with the bytes. */
	(void)evidence_refuse_errno(why, "into-place");
	return PROOF_FAILS;
}

/* ---- slices ---- */

static void keep_head(struct evidence_proof *p, const uint8_t *bytes, size_t length)
{
	p->head_length = length < sizeof p->head ? length : sizeof p->head;
	memcpy(p->head, bytes, p->head_length);
}

enum proof_result evidence_proof_go_on(struct evidence_proof *p, struct evidence_found *found, struct refusal *why)
{
	static const size_t block = 64 * 1024;
	uint8_t bytes[64 * 1024];
	int64_t stop = p->at + EVIDENCE_SLICE < p->size ? p->at + EVIDENCE_SLICE : p->size;

	while (p->at < stop) {
		size_t want = (size_t)(stop - p->at) < block ? (size_t)(stop - p->at) : block;
		ssize_t got = p->fd == -1 ? -1 : pread(p->fd, bytes, want, p->at);

		if (got == -1 && errno == EINTR)
			continue;
		if (got <= 0) {
			(void)evidence_refuse_errno(why, "read-back");
			return fail(p);
		}
		if (p->at == 0)
			keep_head(p, bytes, (size_t)got);
		digest_add(p->digester, bytes, (size_t)got);
		p->at += got;
	}
	return p->at < p->size ? PROOF_GOES_ON : end(p, found, why);
}
