/* gridloopd: the daemon. Each step is a module of its own. */
#include "serve/memory.h"
#include "serve/options.h"
#include "serve/runtime.h"

int main(int argc, char **argv)
{
	struct options options;
	struct runtime *runtime;
	int status;

	memory_fail_stop();
	if (!options_read(&options, argc, argv, &status))
		return status;
	runtime_prepare_process(&options.config);
	runtime = runtime_new(&options, &status);
	if (runtime)
		status = runtime_run(runtime);
	runtime_free(runtime);
	options_close(&options);
	return status;
}
