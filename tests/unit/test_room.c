/* room: the limits are set against what the disk under the test has, so no disk has to be filled. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "store/room.h"

#define MEGA (INT64_C(1) << 20)

struct desk {
	char folder[128], database[160], ballast[180];
	struct room room;
};

static int start(void **state)
{
	struct desk *d = calloc(1, sizeof *d);
	const char *base = getenv("TMPDIR");

	log_set_level(LOG_LEVEL_ERROR - 1);
	snprintf(d->folder, sizeof d->folder, "%s/gridloop-room-XXXXXX", base ? base : "/tmp");
	assert_non_null(mkdtemp(d->folder));
	snprintf(d->database, sizeof d->database, "%s/street.db", d->folder);
	snprintf(d->ballast, sizeof d->ballast, "%s.ballast", d->database);
	*state = d;
	return 0;
}

static int end(void **state)
{
	struct desk *d = *state;

	room_close(&d->room);
	room_close(&d->room);
	(void)unlink(d->ballast);
	assert_int_equal(rmdir(d->folder), 0);
	free(d);
	return 0;
}

static int64_t left_on_disk(const struct desk *d)
{
	struct statvfs about;

	assert_int_equal(statvfs(d->folder, &about), 0);
	return (int64_t)about.f_bavail * (int64_t)about.f_frsize;
}

static int64_t blocks(const struct desk *d)
{
	struct stat about;

	return stat(d->ballast, &about) == 0 ? (int64_t)about.st_blocks * 512 : -1;
}

static void begin(struct desk *d, int64_t ballast, int64_t free_least)
{
	const struct room_limits limits = { ballast, free_least };

	room_init(&d->room, d->database, &limits);
}

static void ballast_has_real_blocks_and_stays(void **state)
{
	struct desk *d = *state;

	begin(d, MEGA, MEGA);
	assert_true(d->room.has_ballast);
	assert_true(blocks(d) >= MEGA);
	assert_false(d->room.is_short);
	room_close(&d->room);
	assert_true(blocks(d) >= MEGA);
	begin(d, MEGA, MEGA);
	assert_true(d->room.has_ballast);
}

static void a_short_disk_gives_it_up_and_gets_it_back(void **state)
{
	struct desk *d = *state;

	begin(d, MEGA, MEGA);
	d->room.limits.free_least = left_on_disk(d) * 2 * ROOM_BALLAST_SHARE;
	room_look(&d->room, 1);
	assert_true(d->room.is_short);
	assert_false(d->room.has_ballast);
	assert_int_equal(blocks(d), -1);
	d->room.limits.free_least = MEGA;
	room_look(&d->room, 2); /* within the second: not looked at yet */
	assert_true(d->room.is_short);
	room_look(&d->room, 1 + ROOM_LOOK_MS);
	assert_false(d->room.is_short);
	assert_true(d->room.has_ballast);
	assert_true(blocks(d) >= MEGA);
}

static void less_than_the_least_is_short_but_keeps_its_ballast(void **state)
{
	struct desk *d = *state;

	begin(d, MEGA, MEGA);
	d->room.limits.free_least = left_on_disk(d) * 2;
	room_look(&d->room, 1);
	assert_true(d->room.is_short);
	assert_true(d->room.has_ballast);
}

static void it_is_given_up_when_asked_for_once(void **state)
{
	struct desk *d = *state;

	begin(d, MEGA, 0);
	assert_true(room_give_up_ballast(&d->room));
	assert_int_equal(blocks(d), -1);
	assert_false(room_give_up_ballast(&d->room));
}

static void nothing_is_watched_when_nothing_is_asked(void **state)
{
	struct desk *d = *state;

	begin(d, 0, 0);
	room_look(&d->room, 5000);
	assert_false(d->room.is_short || d->room.has_ballast);
	assert_int_equal(blocks(d), -1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ballast_has_real_blocks_and_stays),
		TEST(a_short_disk_gives_it_up_and_gets_it_back),
		TEST(less_than_the_least_is_short_but_keeps_its_ballast),
		TEST(it_is_given_up_when_asked_for_once),
		TEST(nothing_is_watched_when_nothing_is_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
