/** When the page has been drawn as it is now; a page that nobody sees is not drawn, and does not wait. @returns {Promise<void>} */
export const painted = () =>
  new Promise((resolve) => {
    requestAnimationFrame(() => setTimeout(resolve));
    setTimeout(resolve, 50);
  });
