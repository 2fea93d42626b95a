/* The folder of evidence: uploads that are cut, torn, wrong, too large or given up; what lies there once; what goes. */
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/digest.h"
#include "store/evidence.h"

#define SIZE 3000000 /* more than two slices */

static struct stand {
	char folder[128];
	struct evidence *evidence;
	struct evidence_limits limits;
	uint8_t *bytes;
	struct refusal why;
} stand;

static const struct evidence_limits roomy = { .image_most = 4 << 20,
	                                      .clip_most = 8 << 20,
	                                      .day_most = 1 << 30,
	                                      .gateway_day_most = 1 << 30,
	                                      .partials_most = 3,
	                                      .total_most = 1 << 30,
	                                      .partial_keep_ms = CLOCK_DAY_MS,
	                                      .unnamed_keep_ms = 3 * CLOCK_DAY_MS };

static void open_again(void)
{
	char *cause = NULL;

	evidence_close(stand.evidence);
	stand.evidence = evidence_open(stand.folder, &stand.limits, 0, &cause);
	if (!stand.evidence)
		fail_msg("%s", cause);
}

static int start(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	stand = (struct stand){ .limits = roomy };
	snprintf(stand.folder, sizeof stand.folder, "%s/gridloop-evidence-XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(stand.folder));
	stand.bytes = must_calloc(1, SIZE);
	memcpy(stand.bytes, "\xff\xd8\xff\xe0", 4);
	for (int i = 4; i < SIZE; i++)
		stand.bytes[i] = (uint8_t)(i * 7 + i / 1000);
	open_again();
	return 0;
}

static int remove_one(const char *path, const struct stat *about, int type, struct FTW *at)
{
	(void)about;
	(void)type;
	(void)at;
	return remove(path);
}

static int end(void **state)
{
	(void)state;
	evidence_close(stand.evidence);
	free(stand.bytes);
	return nftw(stand.folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static struct evidence_upload upload_of(const char *person, int64_t size)
{
	struct evidence_upload u = { .person = person, .size = size };
	struct digester *d = digester_new();

	digest_begin(d);
	digest_add(d, stand.bytes, (size_t)size);
	digest_end(d, u.sha256);
	digester_free(d);
	return u;
}

static void begin(struct evidence_upload *u)
{
	if (!evidence_begin(stand.evidence, u, EVIDENCE_ANY, 0, &stand.why))
		fail_msg("%s", stand.why.sentence);
}

static void put(struct evidence_upload *u, int64_t from, int64_t to)
{
	if (!evidence_put(stand.evidence, u, from, stand.bytes + from, (size_t)(to - from), &stand.why))
		fail_msg("%s", stand.why.sentence);
	assert_int_equal(u->have, to);
}

/* The proof's end, and in how many slices it came. */
static enum proof_result prove(const struct evidence_upload *u, const char **type, int *slices)
{
	struct evidence_found found = { 0 };
	struct evidence_proof *p = evidence_proof_new(stand.evidence, u);
	enum proof_result result;

	*slices = 0;
	do {
		result = evidence_proof_go_on(p, &found, &stand.why);
		++*slices;
	} while (result == PROOF_GOES_ON);
	evidence_proof_free(p);
	*type = found.type;
	return result;
}

static void refuses(_Bool accepted, const char *rule)
{
	assert_false(accepted);
	assert_string_equal(stand.why.rule, rule);
}

static int partials(void)
{
	char command[256];
	int count = 0;
	FILE *from;

	snprintf(command, sizeof command, "ls '%s/partial' | wc -l", stand.folder);
	from = popen(command, "r");
	assert_non_null(from);
	assert_int_equal(fscanf(from, "%d", &count), 1);
	pclose(from);
	return count;
}

static void test_an_upload_goes_on_after_a_restart(void **state)
{
	struct evidence_upload u = upload_of("li", SIZE), again = u;
	const char *type = NULL;
	uint8_t back[100];
	int slices;

	(void)state;
	begin(&u);
	assert_int_equal(u.have, 0);
	put(&u, 0, 1000000);
	open_again();
	begin(&again);
	assert_int_equal(again.have, 1000000);
	put(&again, 900000, SIZE); /* overlapping */
	assert_int_equal(prove(&again, &type, &slices), PROOF_HOLDS);
	assert_string_equal(type, "image/jpeg");
	assert_int_equal(slices, 3);
	assert_int_equal(partials(), 1); /* until the database has its row */
	open_again();
	begin(&again);
	assert_int_equal(again.have, SIZE); /* as after a crash between the two: proven once more */
	assert_int_equal(prove(&again, &type, &slices), PROOF_HOLDS);
	evidence_drop_partial(stand.evidence, "li", u.sha256);
	assert_int_equal(partials(), 0);
	assert_int_equal(evidence_read(stand.folder, u.sha256, SIZE - 50, back, sizeof back), 50);
	assert_memory_equal(back, stand.bytes + SIZE - 50, 50);
	assert_int_equal(evidence_read(stand.folder, u.sha256, SIZE, back, sizeof back), 0);
	u.sha256[0] ^= 1;
	assert_int_equal(evidence_read(stand.folder, u.sha256, 0, back, sizeof back), -1);
}

static void test_a_torn_partial_is_found_out(void **state)
{
	struct evidence_upload u = upload_of("li", SIZE);
	const char *type;
	char command[256];
	int slices;

	(void)state;
	begin(&u);
	put(&u, 0, SIZE);
	snprintf(command, sizeof command,
	         "dd if=/dev/zero of=$(ls '%s'/partial/*) bs=1 seek=5000 count=100 conv=notrunc 2>/dev/null",
	         stand.folder);
	assert_int_equal(system(command), 0);
	assert_int_equal(prove(&u, &type, &slices), PROOF_FAILS);
	assert_string_equal(stand.why.rule, "content-has-its-digest");
	assert_int_equal(partials(), 0);
	begin(&u);
	assert_int_equal(u.have, 0);
}

/* A file cut short by a crash: the rest is asked for again. One that has grown is cut to what was declared. */
static void test_a_short_partial_goes_on(void **state)
{
	struct evidence_upload u = upload_of("li", SIZE);
	char command[256];

	(void)state;
	begin(&u);
	put(&u, 0, 500000);
	snprintf(command, sizeof command, "truncate -s 400000 '%s'/partial/*", stand.folder);
	assert_int_equal(system(command), 0);
	open_again();
	begin(&u);
	assert_int_equal(u.have, 400000);
}

static void test_the_same_file_of_two_lies_once(void **state)
{
	struct evidence_upload li = upload_of("li", 5000), wang = upload_of("wang", 5000);
	const char *type;
	int slices;

	(void)state;
	begin(&li);
	put(&li, 0, 5000);
	assert_int_equal(prove(&li, &type, &slices), PROOF_HOLDS);
	evidence_drop_partial(stand.evidence, "li", li.sha256);
	begin(&wang);
	assert_int_equal(wang.have, 0); /* that it is here is not told */
	put(&wang, 0, 5000);
	assert_int_equal(prove(&wang, &type, &slices), PROOF_HOLDS);
}

static void test_what_is_refused(void **state)
{
	struct evidence_upload u = upload_of("li", 5000), other = upload_of("li", 4000);
	struct evidence *e = stand.evidence;

	(void)state;
	refuses(evidence_put(e, &u, 0, stand.bytes, 10, &stand.why), "upload-is-begun");
	u.size = 0;
	refuses(evidence_begin(e, &u, EVIDENCE_ANY, 0, &stand.why), "file-is-small-enough");
	u.size = INT64_MAX;
	refuses(evidence_begin(e, &u, EVIDENCE_ANY, 0, &stand.why), "file-is-small-enough");
	u.size = (4 << 20) + 1;
	refuses(evidence_begin(e, &u, EVIDENCE_IMAGE, 0, &stand.why), "file-is-small-enough");
	begin(&u);                                                                              /* it may be a clip */
	refuses(evidence_put(e, &u, 0, stand.bytes, 5000, &stand.why), "file-is-small-enough"); /* but is an image */
	assert_int_equal(partials(), 0);
	u.size = 5000;
	begin(&u);
	refuses(evidence_put(e, &u, 0, stand.bytes, 0, &stand.why), "chunk-is-within-the-file");
	refuses(evidence_put(e, &u, -1, stand.bytes, 10, &stand.why), "chunk-is-within-the-file");
	refuses(evidence_put(e, &u, 0, stand.bytes, 5001, &stand.why), "chunk-is-within-the-file");
	refuses(evidence_put(e, &u, INT64_MAX, stand.bytes, 10, &stand.why), "chunk-is-within-the-file");
	refuses(evidence_put(e, &u, 100, stand.bytes, 10, &stand.why), "chunk-follows-what-is-here");
	refuses(evidence_put(e, &other, 0, stand.bytes, 10, &stand.why), "upload-is-begun");
	refuses(evidence_put(e, &u, 0, (const uint8_t *)"%PDF-1.7 and a good deal more of it ....", 40, &stand.why),
	        "type-is-taken");
	assert_int_equal(partials(), 0);
}

static void test_shares(void **state)
{
	struct evidence_upload u;

	(void)state;
	for (int i = 0; i < 3; i++) {
		u = upload_of("li", 100 + i);
		begin(&u);
	}
	u = upload_of("li", 200);
	refuses(evidence_begin(stand.evidence, &u, EVIDENCE_ANY, 0, &stand.why), "unfinished-uploads-at-most");
	u.person = "wang";
	refuses(evidence_begin(stand.evidence, &u, EVIDENCE_ANY, (1 << 30) - 100, &stand.why), "uploads-a-day-at-most");
	begin(&u);
	stand.limits.total_most = 600;
	open_again(); /* the unfinished ones count: 503 bytes */
	u = upload_of("zhao", 98);
	refuses(evidence_begin(stand.evidence, &u, EVIDENCE_ANY, 0, &stand.why), "folder-has-room");
	stand.limits.total_most = 1 << 30;
	stand.limits.free_least = INT64_MAX / 2;
	open_again();
	refuses(evidence_begin(stand.evidence, &u, EVIDENCE_ANY, 0, &stand.why), "disk-has-room");
	assert_int_equal(stand.why.code, REFUSAL_RETRY_LATER);
	u = upload_of("wang", 200); /* begun while there was room */
	refuses(evidence_put(stand.evidence, &u, 0, stand.bytes, 200, &stand.why), "disk-has-room");
	assert_int_equal(partials(), 4); /* and kept for later */
}

static _Bool nobody_knows(void *ctx, const uint8_t sha256[EVIDENCE_DIGEST_SIZE])
{
	(void)sha256;
	++*(int *)ctx;
	return 0;
}

static void test_what_nobody_needs_goes(void **state)
{
	struct evidence_upload u = upload_of("li", 5000), given_up = upload_of("li", 6000);
	struct clock system = clock_system();
	int64_t now = system.wall_ms(system.ctx);
	const char *type;
	int slices, asked = 0;
	uint8_t byte;

	(void)state;
	begin(&u);
	put(&u, 0, 5000);
	assert_int_equal(prove(&u, &type, &slices), PROOF_HOLDS);
	evidence_drop_partial(stand.evidence, "li", u.sha256);
	begin(&given_up);
	for (int i = 0; i < 256; i++)
		evidence_sweep(stand.evidence, now, nobody_knows, &asked);
	assert_int_equal(asked, 0); /* too young to be asked about */
	assert_int_equal(partials(), 1);
	for (int i = 0; i < 256; i++)
		evidence_sweep(stand.evidence, now + 2 * CLOCK_DAY_MS, nobody_knows, &asked);
	assert_int_equal(partials(), 0);
	assert_int_equal(evidence_read(stand.folder, u.sha256, 0, &byte, 1), 1);
	for (int i = 0; i < 256; i++)
		evidence_sweep(stand.evidence, now + 4 * CLOCK_DAY_MS, nobody_knows, &asked);
	assert_int_equal(asked, 1);
	assert_int_equal(evidence_read(stand.folder, u.sha256, 0, &byte, 1), -1);
}

static void test_types(void **state)
{
	static const struct {
		const char *head, *type;
		size_t length;
	} rows[] = {
		{ "\xff\xd8\xff\xe1", "image/jpeg", 4 },
		{ "\x89PNG\r\n\x1a\n", "image/png", 8 },
		{ "GIF89a", "image/gif", 6 },
		{ "RIFF....WEBP", "image/webp", 12 },
		{ "RIFF....WAVE", NULL, 12 },
		{ "....ftypheic", "image/heic", 12 },
		{ "....ftypisom", "video/mp4", 12 },
		{ "....ftypqt  ", "video/quicktime", 12 },
		{ "....ftypM4A ", NULL, 12 },
		{ "\xff\xd8", NULL, 2 },
		{ "%PDF-1.7", NULL, 8 },
		{ "<html>", NULL, 6 },
		{ "MZ", NULL, 2 },
		{ "", NULL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		enum evidence_kind kind = EVIDENCE_ANY;
		const char *type = evidence_type((const uint8_t *)rows[i].head, rows[i].length, &kind);

		if (!rows[i].type)
			assert_null(type);
		else
			assert_string_equal(type, rows[i].type);
		assert_int_equal(kind == EVIDENCE_CLIP, type && strncmp(type, "video/", 6) == 0);
	}
}

static void test_a_folder_that_cannot_be(void **state)
{
	char *cause = NULL;

	(void)state;
	assert_null(evidence_open("/proc/nowhere/evidence", &roomy, 0, &cause));
	assert_non_null(strstr(cause, "/proc/nowhere/evidence"));
	free(cause);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_an_upload_goes_on_after_a_restart),
		TEST(test_a_torn_partial_is_found_out),
		TEST(test_a_short_partial_goes_on),
		TEST(test_the_same_file_of_two_lies_once),
		TEST(test_what_is_refused),
		TEST(test_shares),
		TEST(test_what_nobody_needs_goes),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_a_folder_that_cannot_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
