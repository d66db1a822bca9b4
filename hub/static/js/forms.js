// <form data-once>: sent once, however often the button is pressed.
// <select data-go>, <input data-go>: sends its form when it changes (a button is there without script).
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-once]") || event.defaultPrevented) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "1";
  form.querySelectorAll("button[type=submit]").forEach((button) => button.setAttribute("aria-busy", "true"));
});
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-go]")) event.target.form.requestSubmit();
});
// What is typed beside a choice chooses it.
document.addEventListener("input", (event) => {
  const choice = event.target.type === "radio" ? null : event.target.closest(".option")?.querySelector("[type=radio]");
  if (choice) choice.checked = true;
});
// Back from the browser's own cache: the form may be sent again.
window.addEventListener("pageshow", () => {
  document.querySelectorAll("form[data-sent]").forEach((form) => {
    delete form.dataset.sent;
    form.querySelectorAll("[aria-busy]").forEach((button) => button.removeAttribute("aria-busy"));
  });
});
// A form that came back with errors: start where they are said.
document.querySelector(".callout[role=alert]")?.focus();
