// The testbed's supervisor. It uses the standard library alone, so it builds in seconds and
// needs no go.sum.
module pintle.dev/testbed/supervisor

go 1.26.0
