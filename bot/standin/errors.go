package standin

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
)

// object is a JSON object on its way out. Its keys come out sorted, which
// makes equal answers equal bytes (and ETags).
type object = map[string]any

// apiError is an answer that is not a success, as GitHub words it.
type apiError struct {
	status  int
	message string
	doc     string // documentation_url; the route's page when empty
	errors  any    // []fieldError or []string
	header  http.Header
	extra   object
}

func (e *apiError) Error() string { return fmt.Sprintf("%d %s", e.status, e.message) }

// fieldError is one entry of a 422's errors[].
// https://docs.github.com/rest/using-the-rest-api/troubleshooting-the-rest-api#validation-failed
type fieldError struct {
	Resource string `json:"resource,omitempty"`
	Field    string `json:"field,omitempty"`
	Code     string `json:"code"`
	Message  string `json:"message,omitempty"`
	Value    any    `json:"value,omitempty"`
}

const docRoot = "https://docs.github.com/rest"

func (e *apiError) body(doc string) []byte {
	if e.doc != "" {
		doc = e.doc
	}
	// GitHub repeats the status as text.
	o := object{"message": e.message, "documentation_url": doc, "status": strconv.Itoa(e.status)}
	if e.errors != nil {
		o["errors"] = e.errors
	}
	for k, v := range e.extra {
		o[k] = v
	}
	b, err := json.Marshal(o)
	if err != nil { // only for values we put there ourselves
		return []byte(`{"message":"Server Error"}`)
	}
	return b
}

func fail(status int, message string) *apiError { return &apiError{status: status, message: message} }

func notFound() *apiError { return fail(http.StatusNotFound, "Not Found") }

func invalid(errs ...fieldError) *apiError {
	return &apiError{status: http.StatusUnprocessableEntity, message: "Validation Failed", errors: errs}
}

func unprocessable(message string) *apiError {
	return fail(http.StatusUnprocessableEntity, message)
}

func badCredentials() *apiError {
	return &apiError{status: http.StatusUnauthorized, message: "Bad credentials", doc: docRoot}
}

func notAccessible() *apiError {
	return fail(http.StatusForbidden, "Resource not accessible by integration")
}

func emptyRepository() *apiError {
	return fail(http.StatusConflict, "Git Repository is empty.")
}
