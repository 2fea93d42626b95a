#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/must.h"

/* Runs what in a child whose stderr is read; gives the wait status. */
static int run_in_child(void (*what)(void), char *said, size_t size)
{
	int ends[2], status;
	ssize_t got;
	size_t length = 0;

	assert_int_equal(pipe(ends), 0);

	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		dup2(ends[1], STDERR_FILENO);
		signal(SIGABRT, SIG_DFL);
		what();
		_exit(0);
	}
	close(ends[1]);
	while ((got = read(ends[0], said + length, size - 1 - length)) > 0)
		length += (size_t)got;
	said[length] = '\0';
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static void break_promise(void)
{
	must(1 + 1 == 3);
}

static void ask_for_too_much(void)
{
	char *volatile p = must_calloc(SIZE_MAX / 4, 8);

	free(p);
}

static void ask_for_more_than_there_is(void)
{
	char *volatile p = must_malloc(SIZE_MAX / 4);

	free(p);
}

static void keep_promise(void)
{
	must(1 + 1 == 2);
}

static void test_zeroed(void **state)
{
	(void)state;
	unsigned char *p = must_calloc(100, 3);

	for (int i = 0; i < 300; i++)
		assert_int_equal(p[i], 0);
	free(p);
}

static void test_nothing_is_still_memory(void **state)
{
	(void)state;
	void *p = must_calloc(0, 8);

	assert_non_null(p);
	p = must_realloc(p, 0);
	assert_non_null(p);
	free(p);
}

static void test_realloc_keeps(void **state)
{
	(void)state;
	char *p = must_realloc(NULL, 4);

	memcpy(p, "abc", 4);
	p = must_realloc(p, 4000);
	assert_string_equal(p, "abc");
	free(p);
}

static void test_strdup(void **state)
{
	(void)state;
	char *copy = must_strdup("gr\xc3\xbcn");

	assert_string_equal(copy, "gr\xc3\xbcn");
	free(copy);
	copy = must_strdup("");
	assert_string_equal(copy, "");
	free(copy);
	assert_null(must_strdup(NULL));
}

static void test_broken_promise_aborts(void **state)
{
	(void)state;
	char said[512];
	int status = run_in_child(break_promise, said, sizeof said);

	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
	assert_non_null(strstr(said, "<3>must_not_happen"));
	assert_non_null(strstr(said, "1 + 1 == 3"));
	assert_non_null(strstr(said, "test_must.c"));
}

static void test_kept_promise_goes_on(void **state)
{
	(void)state;
	char said[512];
	int status = run_in_child(keep_promise, said, sizeof said);

	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_string_equal(said, "");
}

static void ends_with_a_line(void (*what)(void))
{
	char said[4096];
	int status = run_in_child(what, said, sizeof said);

	/* A sanitizer's own allocator may end the process with its own report before the call returns. */
	assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT)
		assert_non_null(strstr(said, "<3>out_of_memory"));
}

static void test_out_of_memory_aborts(void **state)
{
	(void)state;
	ends_with_a_line(ask_for_too_much);
	ends_with_a_line(ask_for_more_than_there_is);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zeroed),
		cmocka_unit_test(test_nothing_is_still_memory),
		cmocka_unit_test(test_realloc_keeps),
		cmocka_unit_test(test_strdup),
		cmocka_unit_test(test_broken_promise_aborts),
		cmocka_unit_test(test_kept_promise_goes_on),
		cmocka_unit_test(test_out_of_memory_aborts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
