#include "upload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "progress.h"

#define UPLOAD_WINDOW 4     /* chunks under way: the daemon takes no more at once from one connection */
#define UPLOAD_TRIES 10     /* breaks in a row without a byte coming through */
#define UPLOAD_BLOCK 262144 /* bytes read at once for the digest */

/* One upload under way. */
struct sending {
	struct call *call;
	const char *path;
	int fd;
	int64_t size, have; /* have: what the daemon has confirmed */
	int64_t chunk_max;
	_Bool complete;
	uint8_t sha256[EVIDENCE_DIGEST_SIZE];
	uint8_t *chunk;
	struct progress bar;
};

static _Bool upload_fails(const struct sending *u, const char *what, enum exit_code *exit_with)
{
	fprintf(stderr, "gridloop: %s: %s\n", u->path, what);
	*exit_with = EXIT_USAGE;
	return 0;
}

/* ---- the file ---- */

static _Bool digest_file(struct sending *u)
{
	struct digester *d = digester_new();
	uint8_t *block = must_calloc(1, UPLOAD_BLOCK);
	int64_t at = 0;
	ssize_t got;

	digest_begin(d);
	while ((got = pread(u->fd, block, UPLOAD_BLOCK, at)) > 0) {
		digest_add(d, block, (size_t)got);
		at += got;
	}
	digest_end(d, u->sha256);
	digester_free(d);
	free(block);
	return got == 0 && at == u->size;
}

static _Bool open_file(struct sending *u, enum exit_code *exit_with)
{
	struct stat about;

	u->fd = open(u->path, O_RDONLY | O_CLOEXEC);
	if (u->fd < 0 || fstat(u->fd, &about) != 0)
		return upload_fails(u, strerror(errno), exit_with);
	u->size = about.st_size;
	if (!S_ISREG(about.st_mode) || u->size == 0)
		return upload_fails(u, "is no file with anything in it", exit_with);
	return digest_file(u) || upload_fails(u, "cannot be read", exit_with);
}

/* ---- chunks ---- */

static void take_state(struct sending *u, const Gridloop__V1__EvidenceState *m)
{
	u->have = m->have;
	u->complete = m->complete;
	u->chunk_max = m->chunk_max;
	progress_show(&u->bar, u->have, u->size);
}

static _Bool begin_again(struct sending *u, enum exit_code *exit_with)
{
	Gridloop__V1__BeginEvidence begin = GRIDLOOP__V1__BEGIN_EVIDENCE__INIT;
	client_frame frame = GRIDLOOP__V1__CLIENT_FRAME__INIT;
	server_frame *reply;

	begin.sha256 = (wire_bytes){ sizeof u->sha256, u->sha256 };
	begin.size = u->size;
	frame.body_case = CLIENT_BODY(BEGIN_EVIDENCE);
	frame.begin_evidence = &begin;
	reply = call_ask_surely(u->call, &frame, SERVER_BODY(EVIDENCE_STATE), exit_with);
	if (!reply)
		return 0;
	take_state(u, reply->evidence_state);
	wire_free(reply);
	if (u->chunk_max > 0 && u->chunk_max <= WIRE_FRAME_MOST && u->have >= 0 && u->have <= u->size)
		return 1;
	return upload_fails(u, "the daemon's answer makes no sense; compare `gridloop version` and `gridloop ping`",
	                    exit_with);
}

static _Bool queue_chunk(struct sending *u, int64_t at, struct trouble *why)
{
	Gridloop__V1__PutChunk put = GRIDLOOP__V1__PUT_CHUNK__INIT;
	client_frame frame = GRIDLOOP__V1__CLIENT_FRAME__INIT;
	int64_t left = u->size - at;
	ssize_t got = pread(u->fd, u->chunk, (size_t)(left < u->chunk_max ? left : u->chunk_max), at);

	if (got <= 0)
		return trouble_set(why, EXIT_USAGE, "%.200s changed while it was sent", u->path);
	put.sha256 = (wire_bytes){ sizeof u->sha256, u->sha256 };
	put.offset = at;
	put.bytes = (wire_bytes){ (size_t)got, u->chunk };
	frame.body_case = CLIENT_BODY(PUT_CHUNK);
	frame.put_chunk = &put;
	if (client_queue(u->call->client, &frame) == 0)
		return trouble_set(why, EXIT_LOST, "a chunk is larger than a frame");
	return 1;
}

/* One reply; pushes are passed over. */
static _Bool take_reply(struct sending *u, struct trouble *why)
{
	server_frame *f = client_receive(u->call->client, CLIENT_REPLY_MS, why);
	_Bool good = f && f->body_case == SERVER_BODY(EVIDENCE_STATE);

	if (good)
		take_state(u, f->evidence_state);
	else if (f && f->body_case == SERVER_BODY(REFUSAL))
		trouble_from_refusal(why, f->refusal);
	else if (why->exit == EXIT_OK)
		trouble_set(why, EXIT_LOST, "the connection to the daemon was lost: no reply in time");
	wire_free(f);
	return good;
}

/* Sends on from what the daemon has, a few chunks ahead of its answers. */
static _Bool send_chunks(struct sending *u, struct trouble *why)
{
	int64_t at = u->have;

	for (int under_way = 0; !u->complete; under_way--) {
		while (under_way < UPLOAD_WINDOW && at < u->size) {
			if (!queue_chunk(u, at, why))
				return 0;
			at += u->size - at < u->chunk_max ? u->size - at : u->chunk_max;
			under_way++;
		}
		if (under_way == 0)
			return trouble_set(why, EXIT_LOST, "the daemon has it all and does not say so");
		if (!client_flush(u->call->client, why) || !take_reply(u, why))
			return 0;
	}
	return 1;
}

/* After a break: a new connection, and from where the daemon is. false: there is no point. */
static _Bool upload_recovers(struct sending *u, const struct trouble *why, int attempt)
{
	if ((why->exit != EXIT_LOST && !trouble_passes(why)) || attempt >= UPLOAD_TRIES)
		return 0;
	client_close(u->call->client);
	u->call->client = NULL;
	fprintf(stderr, "gridloop: %s; going on at %lld of %lld bytes\n", why->sentence, (long long)u->have,
	        (long long)u->size);
	client_pause(attempt, why->retry_after_ms);
	return 1;
}

static _Bool send_all(struct sending *u, enum exit_code *exit_with)
{
	struct trouble why = { 0 };
	int64_t before = -1;

	for (int attempt = 1;; attempt++) {
		if (!begin_again(u, exit_with))
			return 0;
		u->chunk = must_realloc(u->chunk, (size_t)u->chunk_max);
		if (u->complete || send_chunks(u, &why))
			return 1;
		attempt = u->have > before ? 1 : attempt;
		before = u->have;
		if (upload_recovers(u, &why, attempt))
			continue;
		trouble_print(&why, u->call->json);
		*exit_with = why.exit;
		return 0;
	}
}

_Bool upload_file(struct call *call, const char *path, uint8_t sha256[EVIDENCE_DIGEST_SIZE], enum exit_code *exit_with)
{
	struct sending u = { .call = call, .path = path, .fd = -1 };
	_Bool good;

	progress_init(&u.bar, path);
	good = open_file(&u, exit_with) && send_all(&u, exit_with);
	progress_end(&u.bar);
	if (good)
		memcpy(sha256, u.sha256, EVIDENCE_DIGEST_SIZE);
	if (u.fd >= 0)
		close(u.fd);
	free(u.chunk);
	return good;
}

/* ---- what --photo was given ---- */

static _Bool take_photo_value(struct call *call, const char *value, struct given_photos *out, enum exit_code *exit_with)
{
	const char *colon = strrchr(value, ':');
	enum photo_role role = colon ? photo_role_from_name(colon + 1, strlen(colon + 1)) : PHOTO_UNSET;
	size_t length = role == PHOTO_UNSET ? strlen(value) : (size_t)(colon - value), at = out->evidence_count;
	_Bool good = 1;

	if (strstr(value, "://")) {
		out->references[out->reference_count++] = wire_from_text(value);
		return 1;
	}
	if (!evidence_from_text(value, length, out->digests[at])) {
		char *path = strndup(value, length);

		good = upload_file(call, path, out->digests[at], exit_with);
		free(path);
	}
	out->evidence[at] = (Gridloop__V1__Evidence)GRIDLOOP__V1__EVIDENCE__INIT;
	out->evidence[at].sha256 = (wire_bytes){ EVIDENCE_DIGEST_SIZE, out->digests[at] };
	out->evidence[at].role = (Gridloop__V1__PhotoRole)role;
	out->list[at] = &out->evidence[at];
	out->evidence_count++;
	return good;
}

_Bool photos_take(struct call *call, struct given_photos *out, enum exit_code *exit_with)
{
	const char *values[PHOTOS_GIVEN_MOST + 1];
	int count = options_all(&call->options, "--photo", values, PHOTOS_GIVEN_MOST + 1);

	out->reference_count = out->evidence_count = 0;
	if (count > PHOTOS_GIVEN_MOST) {
		*exit_with = call_usage(call, "--photo may be given at most %d times", PHOTOS_GIVEN_MOST);
		return 0;
	}
	for (int i = 0; i < count; i++)
		if (!take_photo_value(call, values[i], out, exit_with))
			return 0;
	return 1;
}
