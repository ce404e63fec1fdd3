// An assembly file, even without code, lets main.go declare functions without a body (go:linkname).
