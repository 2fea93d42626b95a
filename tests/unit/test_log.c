#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"

struct capture {
	FILE *file;
	int kept;
};

static int setup(void **state)
{
	static struct capture c;

	c.file = tmpfile();
	if (!c.file)
		return -1;
	fflush(stderr);
	c.kept = dup(STDERR_FILENO);
	dup2(fileno(c.file), STDERR_FILENO);
	log_set_level(LOG_LEVEL_INFO);
	*state = &c;
	return 0;
}

static int teardown(void **state)
{
	struct capture *c = *state;

	dup2(c->kept, STDERR_FILENO);
	close(c->kept);
	fclose(c->file);
	return 0;
}

static size_t captured(struct capture *c, char *out, size_t size)
{
	ssize_t got = pread(fileno(c->file), out, size - 1, 0);

	assert_true(got >= 0);
	out[got] = '\0';
	return (size_t)got;
}

static void test_one_line(void **state)
{
	char out[256];

	log_line(LOG_LEVEL_NOTICE, "started", "port=%d door=%s", 7311, "tcp");
	captured(*state, out, sizeof out);
	assert_string_equal(out, "<5>started port=7311 door=tcp\n");
}

static void test_levels(void **state)
{
	char out[256];

	log_line(LOG_LEVEL_DEBUG, "quiet", "a=1");
	log_set_level(LOG_LEVEL_ERROR);
	log_line(LOG_LEVEL_WARNING, "quiet", "a=2");
	log_line(LOG_LEVEL_ERROR, "loud", "a=3");
	log_set_level(LOG_LEVEL_DEBUG);
	log_line(LOG_LEVEL_DEBUG, "loud", "a=4");
	captured(*state, out, sizeof out);
	assert_string_equal(out, "<3>loud a=3\n<7>loud a=4\n");
}

static void test_errno(void **state)
{
	char out[256];

	errno = ENOENT;
	log_errno("open", "file=%s", "x");
	assert_int_equal(errno, ENOENT);
	log_line(LOG_LEVEL_INFO, "next", "a=%d", 1);
	assert_int_equal(errno, ENOENT);
	captured(*state, out, sizeof out);
	assert_string_equal(out, "<3>open file=x error=\"No such file or directory\"\n<6>next a=1\n");
}

static void test_values_cannot_forge_lines(void **state)
{
	char out[256];

	log_line(LOG_LEVEL_INFO, "peer", "name=%s", "a\n<3>forged\x1b[2J\rb\x7f");
	captured(*state, out, sizeof out);
	assert_string_equal(out, "<6>peer name=a <3>forged [2J b \n");
}

static void test_long_lines_are_cut_at_a_character(void **state)
{
	for (size_t shift = 0; shift < 3; shift++) {
		static char longer[9001], out[9100];
		struct capture *c = *state;

		assert_int_equal(ftruncate(fileno(c->file), 0), 0);
		lseek(STDERR_FILENO, 0, SEEK_SET);
		memset(longer, 'a', shift);
		for (size_t at = shift; at + 3 < sizeof longer; at += 3)
			memcpy(longer + at, "\xe7\xbd\x91", 4);
		log_line(LOG_LEVEL_INFO, "long", "t=%s", longer);

		size_t length = captured(c, out, sizeof out);

		assert_in_range(length, 2000, 2048);
		assert_int_equal(out[length - 1], '\n');
		assert_true(text_is(TEXT_LINE, (uint8_t *)out, length - 1));
	}
}

static void *chatter(void *arg)
{
	for (int i = 0; i < 200; i++)
		log_line(LOG_LEVEL_INFO, "thread", "id=%s line=%03d", (const char *)arg, i);
	return NULL;
}

static void test_threads_do_not_mix(void **state)
{
	static char out[65536];
	pthread_t a, b;
	int lines = 0;

	assert_int_equal(pthread_create(&a, NULL, chatter, (void *)(uintptr_t) "aaaaaaaa"), 0);
	assert_int_equal(pthread_create(&b, NULL, chatter, (void *)(uintptr_t) "bbbbbbbb"), 0);
	pthread_join(a, NULL);
	pthread_join(b, NULL);
	captured(*state, out, sizeof out);
	for (char *line = out, *end; (end = strchr(line, '\n')); line = end + 1, lines++) {
		*end = '\0';
		assert_int_equal(strlen(line), strlen("<6>thread id=aaaaaaaa line=000"));
	}
	assert_int_equal(lines, 400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_one_line, setup, teardown),
		cmocka_unit_test_setup_teardown(test_levels, setup, teardown),
		cmocka_unit_test_setup_teardown(test_errno, setup, teardown),
		cmocka_unit_test_setup_teardown(test_values_cannot_forge_lines, setup, teardown),
		cmocka_unit_test_setup_teardown(test_long_lines_are_cut_at_a_character, setup, teardown),
		cmocka_unit_test_setup_teardown(test_threads_do_not_mix, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
