(() => {
  const root = document.documentElement;
  root.dataset.path = location.pathname;
  const east = (time) => -new Date(time).getTimezoneOffset();
  const DAY = 864e5;
  const zone = () => {
    const now = Date.now();
    const changes = [];
    let before = Math.floor(now / 6e4) * 6e4 - 1095 * DAY;
    const first = east(before);
    for (let offset = first; before < now + 365 * DAY; ) {
      let after = before + 7 * DAY;
      if (east(after) !== offset) {
        for (let low = before; after - low > 6e4; ) {
          const middle = Math.floor((low + after) / 12e4) * 6e4;
          if (east(middle) === offset) low = middle;
          else after = middle;
        }
        offset = east(after);
        changes.push(`_${Math.floor(after / 6e4)}.${offset}`);
      }
      before = after;
    }
    return changes.length > 12 ? `${east(now)}` : first + changes.join('');
  };
  const tell = () => {
    const cookie = `zone=${zone()}`;
    if (!document.cookie.split('; ').includes(cookie)) {
      document.cookie = `${cookie}; Path=/; Max-Age=31536000; SameSite=Lax`;
    }
  };
  tell();
  document.addEventListener('visibilitychange', tell);
  if (root.dataset.zone === zone()) return;
  const correct = () => {
    for (const time of document.querySelectorAll('time[datetime]')) {
      const at = new Date(time.dateTime);
      const two = (number) => `${number}`.padStart(2, '0');
      if (/^\d\d:\d\d$/.test(time.textContent)) time.textContent = `${two(at.getHours())}:${two(at.getMinutes())}`;
    }
  };
  document.addEventListener('DOMContentLoaded', correct);
})();
