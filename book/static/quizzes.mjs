// Counts in each quiz what was answered right at the first try. The count is kept nowhere and sent nowhere;
// without this module all but the count works.
const words = (right, answered, questions) => {
  const left = questions - answered;
  const more = left ? `, ${left} ${left === 1 ? "question" : "questions"} to go` : "";
  return `${right} of ${answered} right at the first try${more}.`;
};

for (const quiz of document.querySelectorAll(".camlib-quiz")) {
  const questions = quiz.querySelectorAll("[role=group]");
  const first = new Map(); // of each question that was answered: was the first answer right?
  const count = document.createElement("p");
  count.className = "camlib-quiz-count";
  count.setAttribute("role", "status"); // read out when it changes, once the reader has finished
  quiz.append(count);
  quiz.addEventListener("click", ({ target }) => {
    const answer = target.closest("summary")?.parentElement;
    const question = answer?.closest("[role=group]");
    if (!question || first.has(question)) return;
    first.set(question, answer.dataset.verdict === "right");
    const right = [...first.values()].filter(Boolean).length;
    count.textContent = words(right, first.size, questions.length);
  });
}
