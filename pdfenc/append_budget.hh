/*
 * append_budget: how much memory and time what is called may take.
 *
 * libqpdf unpacks what a file tells it to, in memory, before it asks. While a Budget lives, operator
 * new of this process counts, and fails (std::bad_alloc) above the limits. One at a time.
 */
#ifndef SG_PDFENC_APPEND_BUDGET_HH
#define SG_PDFENC_APPEND_BUDGET_HH

#include <cstddef>
#include <cstdint>

class Budget
{
public:
	Budget(size_t memory_max, int64_t cpu_ms_max);
	~Budget();
	Budget(Budget const &) = delete;
	Budget &operator=(Budget const &) = delete;

	/* Whether a limit was met; from then on nothing is counted, so that it can be tidied up. */
	bool met() const { return over; }
	/* Counts an allocation; false: it must not be made. */
	bool take(size_t size);

private:
	size_t left;
	int64_t end_ms;
	unsigned int calls = 0;
	bool over = false;
};

#endif
