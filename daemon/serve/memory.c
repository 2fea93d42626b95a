#include "serve/memory.h"

#include <dlfcn.h>
#include <event2/event.h>
#include <jansson.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/must.h"

/* std::set_new_handler: GEOS is C++, and what its operator new calls before it would throw can be set from C. The name
 * is part of the C++ ABI; it is looked up, because C programs are not linked with the C++ library themselves. */
#define SET_NEW_HANDLER "_ZSt15set_new_handlerPFvvE"

typedef void new_handler(void);
typedef new_handler *set_new_handler(new_handler *handler);

/* Nobody ends without a word: hiredis aborts in silence when it has no memory, and its assertions fail for the same
 * reason. Only what a signal's handler may do is done; on its return abort() goes on to end the process. */
static void say_aborted(int number)
{
	static const char line[] = "<3>aborted cause=\"out of memory, or a mistake found; the lines above may tell\"\n";
	ssize_t ignored = write(STDERR_FILENO, line, sizeof line - 1);

	(void)number;
	(void)ignored;
}

static void no_memory_for_new(void)
{
	must_out_of_memory(1, 0);
}

/* OpenSSL asks for nothing at times, and NULL is then the right answer. */
static void *crypto_malloc(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return size > 0 ? must_malloc(size) : NULL;
}

static void crypto_free(void *block, const char *file, int line)
{
	(void)file;
	(void)line;
	free(block);
}

static void *crypto_realloc(void *old, size_t size, const char *file, int line)
{
	if (size > 0)
		return must_realloc(old, size);
	crypto_free(old, file, line);
	return NULL;
}

void memory_fail_stop(void)
{
	/* POSIX lets dlsym's result be a function; ISO C has no cast for it. */
	union {
		void *object;
		set_new_handler *function;
	} setter = { .object = dlsym(RTLD_DEFAULT, SET_NEW_HANDLER) };

	(void)signal(SIGABRT, say_aborted);
	must(setter.object != NULL);
	(void)setter.function(no_memory_for_new);
	must(CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc, crypto_free) == 1);
	event_set_mem_functions(must_malloc, must_realloc, free);
	json_set_alloc_funcs(must_malloc, free);
}
