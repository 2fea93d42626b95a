/* evidence list, evidence get, evidence put: the photos and clips of a case. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "progress.h"
#include "show.h"
#include "upload.h"

/* ---- list ---- */

static const struct column evidence_columns[] = {
	{ "shows", 0, 0, 0 }, { "type", 0, 0, 0 },   { "bytes", 1, 0, 0 },
	{ "when", 0, 0, 2 },  { "sender", 0, 1, 1 }, { "reference", 0, 0, 0 },
};

static const char *evidence_role(const Gridloop__V1__CaseEvidence *e)
{
	unsigned role = (unsigned)e->role;

	return role < PHOTO_ROLE_COUNT ? photo_role_name((enum photo_role)role) : "";
}

static void evidence_ref(const Gridloop__V1__CaseEvidence *e, char out[EVIDENCE_REF_SIZE])
{
	out[0] = '\0';
	if (e->sha256.len == EVIDENCE_DIGEST_SIZE)
		evidence_text(e->sha256.data, out);
}

static void print_evidence(const struct call *call, const wire_view *v)
{
	struct table *t = table_new(evidence_columns, sizeof evidence_columns / sizeof evidence_columns[0]);
	char when[SHOW_SIZE], ref[EVIDENCE_REF_SIZE];

	for (size_t i = 0; i < v->n_evidence; i++) {
		const Gridloop__V1__CaseEvidence *e = v->evidence[i];

		evidence_ref(e, ref);
		table_cell(t, evidence_role(e));
		table_cell(t, wire_text(e->type));
		table_cell_int(t, e->size);
		table_cell(t, show_time(e->at_ms, when));
		table_cell(t, wire_text(e->sender));
		table_cell(t, ref);
	}
	if (call->csv)
		table_csv(t, stdout);
	else if (v->n_evidence)
		table_say_left_out(stdout, table_print(t, stdout, call->width, call->color),
		                   "--csv and --json have all", call->color);
	else
		puts("no evidence");
	table_free(t);
}

static void print_evidence_json(const wire_view *v)
{
	struct json j;
	char ref[EVIDENCE_REF_SIZE];

	json_init(&j, stdout);
	json_open(&j, NULL, '[');
	for (size_t i = 0; i < v->n_evidence; i++) {
		const Gridloop__V1__CaseEvidence *e = v->evidence[i];

		evidence_ref(e, ref);
		json_open(&j, NULL, '{');
		json_text(&j, "reference", ref);
		json_text(&j, "shows", *evidence_role(e) ? evidence_role(e) : NULL);
		json_field(&j, "type", e->type);
		json_int(&j, "bytes", e->size);
		json_field(&j, "sender", e->sender);
		json_time(&j, "at", e->at_ms);
		json_int(&j, "event", e->event);
		json_close(&j, '}');
	}
	json_close(&j, ']');
	putchar('\n');
}

static enum exit_code run_evidence_list(struct call *call)
{
	Gridloop__V1__GetCase get = GRIDLOOP__V1__GET_CASE__INIT;
	client_frame frame = GRIDLOOP__V1__CLIENT_FRAME__INIT;
	enum exit_code code = EXIT_OK;
	server_frame *reply;

	get.case_number = wire_from_text(call->options.words[0]);
	frame.body_case = CLIENT_BODY(GET_CASE);
	frame.get_case = &get;
	reply = call_ask(call, &frame, SERVER_BODY(CASE_VIEW), &code);
	if (!reply)
		return code;
	if (call->json)
		print_evidence_json(reply->case_view);
	else
		print_evidence(call, reply->case_view);
	wire_free(reply);
	return EXIT_OK;
}

/* ---- get ---- */

static const struct option_row evidence_get_options[] = {
	{ "-o", OPTION_TEXT, "FILE", "where to put it; - is standard output", 1, 0 },
	{ 0 },
};

/* The next bytes into the file. *at and *size are moved on. */
static _Bool fetch_part(struct call *call, uint8_t *sha256, int64_t *at, int64_t *size, FILE *to, enum exit_code *code)
{
	Gridloop__V1__GetEvidence get = GRIDLOOP__V1__GET_EVIDENCE__INIT;
	client_frame frame = GRIDLOOP__V1__CLIENT_FRAME__INIT;
	server_frame *reply;
	wire_bytes bytes;
	_Bool good;

	get.sha256 = (wire_bytes){ EVIDENCE_DIGEST_SIZE, sha256 };
	get.offset = *at;
	frame.body_case = CLIENT_BODY(GET_EVIDENCE);
	frame.get_evidence = &get;
	/* Asking for bytes again is safe, so a broken connection only costs time. */
	reply = call_ask_surely(call, &frame, SERVER_BODY(EVIDENCE_CHUNK), code);
	if (!reply)
		return 0;
	*size = reply->evidence_chunk->size;
	bytes = reply->evidence_chunk->bytes;
	good = bytes.len > 0 && fwrite(bytes.data, 1, bytes.len, to) == bytes.len;
	*at += (int64_t)bytes.len;
	wire_free(reply);
	if (good)
		return 1;
	fprintf(stderr, "gridloop: %s\n", bytes.len ? strerror(errno) : "the daemon sent nothing more");
	*code = EXIT_REFUSED;
	return 0;
}

static enum exit_code fetch_into(struct call *call, uint8_t *sha256, FILE *to)
{
	struct progress bar;
	int64_t at = 0, size = 1;
	enum exit_code code = EXIT_OK;

	progress_init(&bar, "fetching");
	while (at < size && fetch_part(call, sha256, &at, &size, to, &code))
		progress_show(&bar, at, size);
	progress_end(&bar);
	return code;
}

static enum exit_code run_evidence_get(struct call *call)
{
	const char *ref = call->options.words[0], *path = options_text(&call->options, "-o");
	uint8_t sha256[EVIDENCE_DIGEST_SIZE];
	_Bool to_stdout = strcmp(path, "-") == 0;
	FILE *to;
	enum exit_code code;

	if (!evidence_from_text(ref, strlen(ref), sha256))
		return call_usage(call,
		                  "\"%.80s\" is no reference; expected sha256: and 64 hex digits, as `evidence list` "
		                  "prints it",
		                  ref);
	to = to_stdout ? stdout : fopen(path, "we");
	if (!to) {
		fprintf(stderr, "gridloop: %s: %s\n", path, strerror(errno));
		return EXIT_USAGE;
	}
	code = fetch_into(call, sha256, to);
	if (!to_stdout && fclose(to) != 0 && code == EXIT_OK) {
		fprintf(stderr, "gridloop: %s: %s\n", path, strerror(errno));
		code = EXIT_REFUSED;
	}
	return code;
}

/* ---- put ---- */

static enum exit_code run_evidence_put(struct call *call)
{
	uint8_t sha256[EVIDENCE_DIGEST_SIZE];
	char ref[EVIDENCE_REF_SIZE];
	enum exit_code code = EXIT_OK;

	for (int i = 0; i < call->options.word_count; i++) {
		if (!upload_file(call, call->options.words[i], sha256, &code))
			return code;
		evidence_text(sha256, ref);
		printf("%s  %s\n", ref, call->options.words[i]);
	}
	return EXIT_OK;
}

const struct verb evidence_verbs[] = {
	{ .name = "evidence list",
	  .zh = "证据列表",
	  .phase = PHASE_LOOK,
	  .flags = VERB_SERVER | VERB_JSON | VERB_CSV,
	  .usage = "NUMBER",
	  .summary = "the photos and clips of a case",
	  .help = "Lists what reports and actions of the case have named, oldest first, with what each shows, who sent "
	          "it "
	          "and\n"
	          "the reference under which it can be fetched.",
	  .example = "gridloop evidence list E01102026112100042",
	  .related = "evidence get, case show",
	  .least_words = 1,
	  .most_words = 1,
	  .run = run_evidence_list },
	{ .name = "evidence get",
	  .zh = "取证据",
	  .phase = PHASE_LOOK,
	  .flags = VERB_SERVER,
	  .usage = "REF -o FILE",
	  .summary = "fetch a photo or clip",
	  .help = "Whoever may see a case that names it may fetch it, and who sent it. The file is as it was taken, "
	          "with "
	          "whatever\n"
	          "the camera wrote into it: it is evidence.",
	  .options = evidence_get_options,
	  .example = "gridloop evidence get sha256:9f2c… -o near.jpg",
	  .related = "evidence list",
	  .least_words = 1,
	  .most_words = 1,
	  .run = run_evidence_get },
	{ .name = "evidence put",
	  .zh = "传证据",
	  .phase = PHASE_DISCOVER,
	  .flags = VERB_SERVER,
	  .usage = "FILE…",
	  .summary = "upload photos or clips ahead of the report that names them",
	  .help = "Uploads each file, goes on where an earlier try was cut, and prints its reference for --photo. What "
	          "no "
	          "case has\n"
	          "named within days is removed again.",
	  .example = "gridloop evidence put near.jpg far.jpg",
	  .related = "report, handled",
	  .least_words = 1,
	  .most_words = -1,
	  .run = run_evidence_put },
	{ 0 },
};
