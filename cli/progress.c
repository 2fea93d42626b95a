#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"

#define BAR 30
#define REDRAW_MS 100

void progress_init(struct progress *p, const char *what)
{
	*p = (struct progress){ .what = what, .on = isatty(STDERR_FILENO) };
}

void progress_show(struct progress *p, int64_t done, int64_t all)
{
	struct clock clock = clock_system();
	int64_t now = p->on ? clock.mono_ms(clock.ctx) : 0;

	if (!p->on || all <= 0 || (now - p->drawn_ms < REDRAW_MS && done < all))
		return;
	p->drawn_ms = now;
	if (done > all)
		done = all;

	int filled = (int)(done * BAR / all);

	fprintf(stderr, "\r%s [", p->what);
	for (int i = 0; i < BAR; i++)
		fputs(i < filled ? "█" : "·", stderr);
	fprintf(stderr, "] %3d%%  %" PRId64 "/%" PRId64 " ", (int)(done * 100 / all), done, all);
	fflush(stderr);
}

void progress_end(struct progress *p)
{
	if (p->on && p->drawn_ms)
		fputs("\r\033[K", stderr);
}
