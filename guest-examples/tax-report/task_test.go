package main

import (
	"strings"
	"testing"
)

func check(t *testing.T, input, expected string) {
	t.Helper()
	var out strings.Builder
	if err := run(strings.NewReader(input), &out); err != nil {
		out.WriteString(err.Error())
	}
	if told := strings.TrimSpace(out.String()); told != expected {
		t.Errorf("%s\n     told %s\n expected %s", input, told, expected)
	}
}

func TestTaxIsTakenOfSums(t *testing.T) {
	check(t, `{"from": "2026-01-01", "to": "2026-03-31", "invoices": [
		{"number": "1", "date": "2026-03-31", "country": "de", "lines": [{"net": 103, "rate": "19"}, {"net": 50, "rate": "7"}]},
		{"number": "2", "date": "2026-01-01", "country": "FR", "lines": [{"net": 1000, "rate": "5.5"}]},
		{"number": "3", "date": "2026-02-01", "country": "DE", "lines": [{"net": 103, "rate": "19.00"}]},
		{"number": "4", "date": "2026-04-01", "country": "DE", "lines": [{"net": 9999, "rate": "19"}]}]}`,
		`{"from":"2026-01-01","to":"2026-03-31","invoices":3,"entries":[`+
			`{"country":"DE","rate":"19","net":206,"tax":39},`+
			`{"country":"DE","rate":"7","net":50,"tax":4},`+
			`{"country":"FR","rate":"5.5","net":1000,"tax":55}],"tax":98}`)
	check(t, `{"from": "2026-01-01", "to": "2026-01-01", "invoices": [
		{"number": "1", "date": "2026-01-01", "country": "AT", "lines": [{"net": -50, "rate": "7"}]}]}`,
		`{"from":"2026-01-01","to":"2026-01-01","invoices":1,"entries":[{"country":"AT","rate":"7","net":-50,"tax":-4}],"tax":-4}`)
}

func TestWhatDoesNotFitIsTold(t *testing.T) {
	check(t, `[]`, `the input doesn't fit: json: cannot unmarshal array into Go value of type main.period`)
	check(t, `{"from": "2026-02-01", "to": "2026-01-01"}`,
		`from "2026-02-01" to "2026-01-01" is no period of days such as 2026-03-31`)
	one := func(invoices string) string {
		return `{"from": "2026-01-01", "to": "2026-01-31", "invoices": [` + invoices + `]}`
	}
	check(t, one(`{"number": "7", "date": "someday"}`), `invoice 7: "someday" is no day such as 2026-03-31`)
	check(t, one(`{"number": "7", "date": "2026-01-02"}, {"number": "7", "date": "2026-01-02"}`),
		`invoice 7 is there twice`)
	check(t, one(`{"number": "7", "date": "2026-01-02", "lines": [{"net": 10000000001, "rate": "7"}]}`),
		`invoice 7: a net amount of 10000000001 is no line's`)
	for _, rate := range []string{"", "-1", "101", "5.555", "x"} {
		check(t, one(`{"number": "7", "date": "2026-01-02", "lines": [{"net": 1, "rate": "`+rate+`"}]}`),
			`invoice 7: "`+rate+`" is no rate such as "19" or "5.5"`)
	}
}
