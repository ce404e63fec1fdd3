module pintle/tests/oracle/template

go 1.26
