// tax-report adds up the tax of a period's invoices by country and rate, as it is declared. Written in Go, without an SDK:
// JSON from standard input, JSON to standard output, and an exit code.
//
// Amounts are in minor units. The tax of each rate is taken of the sum of its net amounts and rounded half up, so that no
// cent is lost or found in the lines. An input that doesn't fit ends it with exit code 1 and a line on standard error,
// which is the failure's cause.
package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The host hands out no larger input.
const inputBytesMax = 262_144

// A line has at most this net amount, so that the sums of an input and their tax fit into 64 bits.
const netMax = 10_000_000_000

// basisPoints make a rate of 100 %.
const basisPoints = 10_000

type invoice struct {
	Number  string `json:"number"`
	Date    string `json:"date"`
	Country string `json:"country"`
	Lines   []line `json:"lines"`
}

type line struct {
	Net int64 `json:"net"`
	// In per cent, such as "19" or "5.5".
	Rate string `json:"rate"`
}

type period struct {
	From     string    `json:"from"`
	To       string    `json:"to"`
	Invoices []invoice `json:"invoices"`
}

type entry struct {
	Country string `json:"country"`
	Rate    string `json:"rate"`
	Net     int64  `json:"net"`
	Tax     int64  `json:"tax"`
}

type report struct {
	From     string  `json:"from"`
	To       string  `json:"to"`
	Invoices int     `json:"invoices"`
	Entries  []entry `json:"entries"`
	Tax      int64   `json:"tax"`
}

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer) error {
	decoder := json.NewDecoder(io.LimitReader(in, inputBytesMax))
	var input period
	if err := decoder.Decode(&input); err != nil {
		return fmt.Errorf("the input doesn't fit: %w", err)
	}
	result, err := declare(input)
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(result)
}

func declare(input period) (report, error) {
	from, errFrom := time.Parse(time.DateOnly, input.From)
	to, errTo := time.Parse(time.DateOnly, input.To)
	if errFrom != nil || errTo != nil || to.Before(from) {
		return report{}, fmt.Errorf("from %q to %q is no period of days such as 2026-03-31", input.From, input.To)
	}
	type key struct {
		country string
		points  int64
	}
	nets := map[key]int64{}
	result := report{From: input.From, To: input.To, Entries: []entry{}}
	seen := map[string]bool{}
	for _, invoice := range input.Invoices {
		date, err := time.Parse(time.DateOnly, invoice.Date)
		if err != nil {
			return report{}, fmt.Errorf("invoice %s: %q is no day such as 2026-03-31", invoice.Number, invoice.Date)
		}
		if seen[invoice.Number] {
			return report{}, fmt.Errorf("invoice %s is there twice", invoice.Number)
		}
		seen[invoice.Number] = true
		if date.Before(from) || date.After(to) {
			continue
		}
		result.Invoices++
		for _, line := range invoice.Lines {
			points, err := parseRate(line.Rate)
			if err != nil {
				return report{}, fmt.Errorf("invoice %s: %w", invoice.Number, err)
			}
			if line.Net > netMax || line.Net < -netMax {
				return report{}, fmt.Errorf("invoice %s: a net amount of %d is no line's", invoice.Number, line.Net)
			}
			nets[key{strings.ToUpper(invoice.Country), points}] += line.Net
		}
	}
	for key, net := range nets {
		tax := taxOf(net, key.points)
		result.Entries = append(result.Entries, entry{key.country, formatRate(key.points), net, tax})
		result.Tax += tax
	}
	// The order of a map differs from run to run, and a result must not.
	slices.SortFunc(result.Entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.Country, b.Country), cmp.Compare(a.Rate, b.Rate))
	})
	return result, nil
}

// taxOf rounds half away from zero, so that a credit note takes back what its invoice had.
func taxOf(net, points int64) int64 {
	product := net * points
	if product < 0 {
		return -taxOf(-net, points)
	}
	return (product + basisPoints/2) / basisPoints
}

// parseRate reads per cent with at most two digits after the point, as hundredths of a per cent.
func parseRate(text string) (int64, error) {
	whole, fraction, _ := strings.Cut(text, ".")
	if whole != "" && len(fraction) <= 2 {
		points, err := strconv.ParseInt(whole+fraction+"00"[len(fraction):], 10, 32)
		if err == nil && points >= 0 && points <= basisPoints {
			return points, nil
		}
	}
	return 0, errors.New(strconv.Quote(text) + " is no rate such as \"19\" or \"5.5\"")
}

func formatRate(points int64) string {
	text := fmt.Sprintf("%d.%02d", points/100, points%100)
	return strings.TrimRight(strings.TrimRight(text, "0"), ".")
}
