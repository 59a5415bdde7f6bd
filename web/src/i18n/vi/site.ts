// Lời về một điểm cầu: sẵn sàng hay chưa, hình và tiếng, điều cần xem lại.

export const site = {
  site: {
    weak: "Đường truyền yếu",
    cpu: "Máy phòng quá tải",
    node: "Máy chủ cầu nghẽn",
    lost: "Mất hình, tiếng",
    off: "Có thiết bị đã tắt",
    waiting: "Chưa nhận lời",
    refused: "Không tham gia",
    ready: "Sẵn sàng",
    preparing: "Đang chuẩn bị",
    degraded: "Dùng được, còn thiếu",
    failed: "Cần kiểm tra",
    idle: "Đang chờ",
    steps: "Thiết bị",
    noSteps: "Thiết bị phòng này chưa cài tự bật.",
    allDone: (n: number) => `Mọi thứ sẵn sàng (${n})`,
    someDone: (n: number) => `Đã sẵn sàng (${n})`,
    switchOn: "Bật lại",
    setAgain: "Đặt lại",
    again: "Thử lại",
    noPicture: "Chưa có hình",
    picture: (room: string) => `Hình trực tiếp từ ${room}`,
  },

  display: {
    absent: "Màn hình phòng chưa kết nối",
    connected: "Phòng sắp vào lớp",
    joining: "Phòng đang vào lớp",
    joined: "Phòng đã vào lớp",
  },

  camera: {
    unknown: "",
    ok: "",
    denied: "Camera chưa được phép dùng",
    missing: "Không tìm thấy camera",
  },

  media: {
    none: "Chưa có hình và tiếng",
    good: "Hình và tiếng tốt",
    soundOnly: "Có tiếng, chưa có hình",
    pictureOnly: "Có hình, chưa có tiếng",
    weak: "Đường truyền yếu, hình có thể giật",
    lost: "Mất đường truyền, đang nối lại",
    notReceiving: "Phòng này chưa nhận được hình của phòng khác",
  },

  problem: {
    device_offline: (device: string) => `${device} đang mất kết nối`,
    device_silent: (device: string) => `${device} không trả lời`,
    device_refused: (device: string) => `${device} không làm theo lệnh`,
    switched_off: (device: string) => `${device} đang tắt, có người vừa tắt`,
    devices_unreached: "Máy chủ chưa liên lạc được với các thiết bị",
    step_skipped: (device: string) => `${device} chưa được chuyển, vì bước trước chưa xong`,
    display_absent: "Màn hình phòng chưa bật hoặc mất mạng",
    camera_denied: "Trình duyệt ở phòng chưa cho phép dùng camera",
    camera_missing: "Phòng không có camera, các phòng khác chưa thấy phòng này",
    no_video: "Chưa có hình từ phòng này",
    no_audio: "Chưa có tiếng từ phòng này",
    link_weak: "Đường truyền của phòng yếu, hình có thể giật",
    link_lost: "Phòng mất đường truyền, đang tự nối lại",
    other: (code: string) => `Cần kiểm tra (${code})`,
    otherDevice: (device: string, code: string) => `${device}: cần kiểm tra (${code})`,
  },

  importance: { essential: "Bắt buộc", useful: "Nên có", comfort: "Tiện nghi" },
};
