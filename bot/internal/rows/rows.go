// Package rows reads the answers of databases, whichever library they come by.
package rows

// Rows is what *sql.Rows and pgx.Rows have in common.
type Rows interface {
	Next() bool
	Scan(dest ...any) error
	Err() error
}

// Each calls row for every row of an answer; row calls scan once. It ends at the
// first error. The answer is the caller's to close.
func Each(r Rows, row func(scan func(...any) error) error) error {
	for r.Next() {
		if err := row(r.Scan); err != nil {
			return err
		}
	}
	return r.Err()
}
