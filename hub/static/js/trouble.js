// A part of the page could not be fetched: says so until one can be again. [data-trouble] holds the words.
// A form that came back with errors (422) is no trouble.
const trouble = document.querySelector("[data-trouble]");

document.addEventListener("htmx:afterRequest", (event) => {
  const { successful, xhr } = event.detail;
  if (trouble) trouble.hidden = successful || xhr.status === 422;
});
