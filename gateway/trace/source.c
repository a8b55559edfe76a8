#include "gateway/trace/source.h"

#include <stddef.h>

void source_close(struct source *source)
{
	if (source != NULL)
		source->ops->close(source);
}
