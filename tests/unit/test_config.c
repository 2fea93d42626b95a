/* The daemon's own settings: the sample file says what the table says, and values that do not go together are told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/must.h"
#include "jurisdiction/config.h"
#include "jurisdiction/policy.h"

#define SAMPLE "config/gridloop.conf"

struct file {
	char folder[200], path[240];
};

static int make_folder(void **state)
{
	struct file *f = must_calloc(1, sizeof *f);
	const char *where = getenv("TMPDIR");

	snprintf(f->folder, sizeof f->folder, "%s/configXXXXXX", where ? where : "/tmp");
	must(mkdtemp(f->folder));
	snprintf(f->path, sizeof f->path, "%s/gridloop.conf", f->folder);
	*state = f;
	return 0;
}

static int drop_folder(void **state)
{
	struct file *f = *state;

	(void)unlink(f->path);
	must(rmdir(f->folder) == 0);
	free(f);
	return 0;
}

static void write_file(const struct file *f, const char *text)
{
	FILE *to = fopen(f->path, "we");

	must(to && fputs(text, to) >= 0);
	must(fclose(to) == 0);
}

static char *printed(const struct config *c)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	must(to);
	settings_print(config_settings(), c, to);
	must(fclose(to) == 0);
	return text;
}

static int mentions_in_sample(const char *key)
{
	FILE *from = fopen(SAMPLE, "re");
	char line[1000];
	int count = 0;

	assert_non_null(from);
	while (fgets(line, sizeof line, from))
		count += strncmp(line, key, strlen(key)) == 0 && strncmp(line + strlen(key), " =", 2) == 0;
	fclose(from);
	return count;
}

static void test_the_sample_says_what_the_table_says(void **state)
{
	struct config defaults = { 0 }, sample = { 0 };
	struct problems p = { 0 };

	(void)state;
	for (const struct setting *row = config_settings(); row->key; row++)
		if (mentions_in_sample(row->key) != 1)
			fail_msg("%s does not have %s once", SAMPLE, row->key);
	settings_defaults(config_settings(), &defaults);
	settings_defaults(config_settings(), &sample);
	/* Something other than the default everywhere it is easy, so that a line that is not read would show. */
	sample.shard = sample.frame_max = sample.queue_max = sample.idle_timeout_ms = -1;
	assert_true(settings_read(config_settings(), &sample, SAMPLE, &p));

	char *expected = printed(&defaults), *found = printed(&sample);

	assert_string_equal(found, expected);
	free(expected);
	free(found);
	settings_close(config_settings(), &defaults);
	settings_close(config_settings(), &sample);
}

static void test_the_sample_loads_with_the_jurisdiction_beside_it(void **state)
{
	struct config c;
	struct problems p = { 0 };

	(void)state;
	assert_true(config_load(&c, SAMPLE, NULL, 0, &p));
	assert_string_equal(c.jurisdiction, "config/jurisdiction");
	assert_string_equal(c.listen, "127.0.0.1:7311");
	assert_string_equal(c.redis, "");
	assert_int_equal(c.frame_max, 32768);
	assert_int_equal(c.idle_timeout_ms, 10 * CLOCK_MINUTE_MS);
	assert_int_equal(c.clock, CONFIG_CLOCK_SYSTEM);
	config_close(&c);
	config_close(&c);
}

static void test_the_command_line_goes_before_the_file(void **state)
{
	static const char *const assignments[] = { "clock=replay", "jurisdiction = here", "shard=9" };
	const struct file *f = *state;
	struct config c;
	struct problems p = { 0 };

	write_file(f, "shard = 7\nreaders = 3\n");
	assert_true(config_load(&c, f->path, assignments, 3, &p));
	assert_int_equal(c.clock, CONFIG_CLOCK_REPLAY);
	assert_int_equal(c.shard, 9);
	assert_int_equal(c.readers, 3);
	assert_string_equal(c.jurisdiction, "here");
	config_close(&c);
	assert_true(config_load(&c, NULL, NULL, 0, &p));
	assert_string_equal(c.jurisdiction, "jurisdiction");
	config_close(&c);
}

static void test_a_path_from_the_root_stays(void **state)
{
	const struct file *f = *state;
	struct config c;
	struct problems p = { 0 };

	write_file(f, "jurisdiction = /srv/street\n");
	assert_true(config_load(&c, f->path, NULL, 0, &p));
	assert_string_equal(c.jurisdiction, "/srv/street");
	config_close(&c);
}

struct mistake {
	const char *line, *problem;
};

static const struct mistake mistakes[] = {
	{ "listen = nowhere", "found address \"nowhere\"" },
	{ "listen = 127.0.0.1", "found address" },
	{ "listen = 127.0.0.1:99999", "found address" },
	{ "listen = 127.0.0.1:", "found address" },
	{ "listen = ::1:7311", "found address" },
	{ "listen = [127.0.0.1]:7311", "found address" },
	{ "listen = example.org:7311", "found address" },
	{ "listen = 127.0.0.1:0000000000000000000000000000000000000000000000000000000000000000007311",
	  "found address" },
	{ "listen = 127.0.0.1:7311 300.0.0.1:1", "found address \"300.0.0.1:1\"" },
	{ "listen = 0.0.0.0:7311", "not loopback; expected loopback, or listen_remote = yes" },
	{ "listen = :7311", "not loopback" },
	{ "listen = [::]:7311", "not loopback" },
	{ "listen = :1 :2 :3 :4 :5 :6 :7 :8 :9", NULL },
	{ "listen = ", "found no address here nor in listen_tls" },
	{ "listen_tls = :7312\ntls_key = street.key", "found listen_tls without tls_certificate" },
	{ "listen_tls = :7312\ntls_certificate = street.pem", "found listen_tls without tls_key" },
	{ "listen_tls = everywhere\ntls_certificate = street.pem\ntls_key = street.key",
	  "found address \"everywhere\"" },
	{ "clock = sundial", "expected one of system replay" },
	{ "time_zone = Asia/Xianyang", "found time zone \"Asia/Xianyang\"" },
	{ "time_zone = ../../../etc/passwd", "found time zone" },
	{ "time_zone = /etc/passwd", "found time zone" },
	{ "time_zone = Asia", "found time zone" },
	{ "shard = 1024", "from 0 to 1023" },
	{ "frame_max = 33k", "from 4k to 32k" },
	{ "batch_max = 5000", "found batch_max larger than queue_max" },
	{ "inflight_max = 1025", "from 1 to 1024" },
	{ "redis = redis.example.org:6379", "found redis" },
	{ "redis = localhost:6379", "found redis" },
	{ "redis = :6379", "found redis" },
	{ "redis = unix:run/redis.sock", "found redis" },
	{ "redis = unix:127.0.0.1:6379", "found redis" },
	{ "redis_events = gridloop:reports", "found the same stream as redis_reports" },
	{ "readers = two", "from 1 to 16" },
	{ "colour = red", "unknown key" },
};

static void test_each_mistake_is_told_with_its_line(void **state)
{
	const struct file *f = *state;
	char text[400], where[300];

	snprintf(where, sizeof where, "%s:2: ", f->path);
	for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
		struct config c;
		struct problems p = { 0 };

		snprintf(text, sizeof text, "# a comment\n%s\n", mistakes[i].line);
		write_file(f, text);
		if (config_load(&c, f->path, NULL, 0, &p) || p.count == 0)
			fail_msg("\"%s\" was taken", mistakes[i].line);
		if (strncmp(p.lines[0], where, strlen(where)) != 0)
			fail_msg("expected \"%s\" first in: %s", where, p.lines[0]);
		if (mistakes[i].problem && (p.count != 1 || !strstr(p.lines[0], mistakes[i].problem)))
			fail_msg("expected \"%s\" in the one of %zu: %s", mistakes[i].problem, p.count, p.lines[0]);
		problems_close(&p);
		config_close(&c);
	}
}

static void test_a_mistake_on_the_command_line_is_told_as_one(void **state)
{
	static const char *const assignments[] = { "time_zone=Mars/Olympus" };
	const struct file *f = *state;
	struct config c;
	struct problems p = { 0 };

	write_file(f, "time_zone = Asia/Shanghai\n");
	assert_false(config_load(&c, f->path, assignments, 1, &p));
	assert_int_equal(p.count, 1);
	assert_int_equal(strncmp(p.lines[0], "command line: found time zone", 29), 0);
	problems_close(&p);
}

static void test_a_missing_file_is_told(void **state)
{
	struct config c;
	struct problems p = { 0 };

	(void)state;
	assert_false(config_load(&c, "/nonexistent/gridloop.conf", NULL, 0, &p));
	assert_int_equal(p.count, 1);
	assert_non_null(strstr(p.lines[0], "/nonexistent/gridloop.conf: cannot be opened"));
	problems_close(&p);
}

static void test_good_addresses_pass_and_come_one_by_one(void **state)
{
	const struct file *f = *state;
	struct config c;
	struct problems p = { 0 };
	char address[CONFIG_ADDRESS_SIZE];

	write_file(f, "listen =  127.0.0.1:7311 [::1]:0  localhost:1\nredis = [::1]:6379\n");
	assert_true(config_load(&c, f->path, NULL, 0, &p));
	assert_true(config_address(c.listen, 0, address));
	assert_string_equal(address, "127.0.0.1:7311");
	assert_true(config_address(c.listen, 2, address));
	assert_string_equal(address, "localhost:1");
	assert_false(config_address(c.listen, 3, address));
	assert_false(config_address(c.listen, 30, address));
	config_close(&c);
	write_file(f,
	           "listen =\nlisten_tls = 0.0.0.0:7312 [::]:7312\ntls_certificate = street.pem\ntls_key = /k.pem\n");
	assert_true(config_load(&c, f->path, NULL, 0, &p));
	assert_false(config_address(c.listen, 0, address));
	assert_true(config_address(c.listen_tls, 1, address));
	assert_string_equal(address, "[::]:7312");
	/* A relative path starts at the file's own folder. */
	assert_int_equal(strncmp(c.tls_certificate, f->path, strlen(f->path) - strlen("gridloop.conf")), 0);
	assert_string_equal(c.tls_key, "/k.pem");
	config_close(&c);
	write_file(f, "listen = 0.0.0.0:7311 :7312\nlisten_remote = yes\nredis = unix:/run/redis.sock\n");
	assert_true(config_load(&c, f->path, NULL, 0, &p));
	config_close(&c);
}

static void test_the_cameras_gateway_is_one(void **state)
{
	const struct file *f = *state;
	struct problems p = { 0 };
	struct policy *policy = policy_load("config/jurisdiction", &p);
	struct config c;

	assert_non_null(policy);
	write_file(f, "redis_cameras_gateway = cameras-police\n");
	assert_true(config_load(&c, f->path, NULL, 0, &p));
	assert_true(config_fits(&c, policy, &p));
	config_close(&c);
	write_file(f, "\nredis_cameras_gateway = resident-01\n");
	assert_true(config_load(&c, f->path, NULL, 0, &p));
	assert_false(config_fits(&c, policy, &p));
	assert_int_equal(p.count, 1);
	assert_non_null(strstr(p.lines[0], "gridloop.conf:2: found redis_cameras_gateway \"resident-01\""));
	config_close(&c);
	problems_close(&p);
	policy_release(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_sample_says_what_the_table_says),
		cmocka_unit_test(test_the_sample_loads_with_the_jurisdiction_beside_it),
		cmocka_unit_test_setup_teardown(test_the_command_line_goes_before_the_file, make_folder, drop_folder),
		cmocka_unit_test_setup_teardown(test_a_path_from_the_root_stays, make_folder, drop_folder),
		cmocka_unit_test_setup_teardown(test_each_mistake_is_told_with_its_line, make_folder, drop_folder),
		cmocka_unit_test_setup_teardown(test_a_mistake_on_the_command_line_is_told_as_one, make_folder,
		                                drop_folder),
		cmocka_unit_test(test_a_missing_file_is_told),
		cmocka_unit_test_setup_teardown(test_good_addresses_pass_and_come_one_by_one, make_folder, drop_folder),
		cmocka_unit_test_setup_teardown(test_the_cameras_gateway_is_one, make_folder, drop_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
